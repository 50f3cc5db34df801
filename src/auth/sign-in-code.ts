import { randomBytes } from "node:crypto";
import { createSecret } from "./secret.ts";

const VALID_MS = 3_600_000;
const CODE_BYTES = 32;

/** Whether `candidate` is the code. A code counts once. */
export type UseCode = (candidate: string) => boolean;

/** Accepts no code. */
export const NO_CODE: UseCode = () => false;

/**
 * Creates a code that signs the administrator in once, within an hour of the server's first start. The text
 * is for the start banner. Code that only checks it gets `use`, which holds a hash.
 */
export function createSignInCode(now = Date.now): { text: string; use: UseCode } {
  const text = randomBytes(CODE_BYTES).toString("base64url");
  return { text, use: createUse(text, now) };
}

function createUse(text: string, now: () => number): UseCode {
  const secret = createSecret(text);
  const until = now() + VALID_MS;
  let isUsed = false;
  return (candidate) => {
    if (isUsed || now() >= until || !secret.matches(candidate)) return false;
    isUsed = true;
    return true;
  };
}
