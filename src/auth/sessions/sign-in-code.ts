import { randomBytes } from "node:crypto";
import { HOUR_MS } from "../../durations.ts";
import { orFail } from "../../errors.ts";
import type { SessionStore } from "../../store/store.ts";
import { hashSecret } from "../secret.ts";

const VALID_MS = HOUR_MS;
const CODE_BYTES = 32;
const CODE = /^[\w-]{43}$/;

/** Resolves with whether `candidate` is the code. A code counts once. Throws an `AppError` when the store fails. */
export type UseCode = (candidate: string) => Promise<boolean>;

/**
 * Creates a code that signs the administrator in once, within an hour, at any server of the store. The text is for the
 * start banner: the store has its hash.
 */
export async function addSignInCode(store: Pick<SessionStore, "addCode">, now = Date.now): Promise<string> {
  const text = randomBytes(CODE_BYTES).toString("base64url");
  await store.addCode(hashSecret(text), now() + VALID_MS);
  return text;
}

export const createUseCode =
  (store: Pick<SessionStore, "useCode">): UseCode =>
  async (candidate) =>
    CODE.test(candidate) && orFail("verify_failed", () => store.useCode(hashSecret(candidate)));
