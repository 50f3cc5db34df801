import { randomBytes } from "node:crypto";
import { createSecret } from "./secret.ts";

/** Signs the administrator in, once, within an hour of the server's first start. */
export interface SignInCode {
  /** For the start banner. Whoever uses codes up has the hash of this one only. */
  text: string;
  use: UseCode;
}

/** Whether it is the code; from then on it is none any more. */
export type UseCode = (candidate: string) => boolean;

const VALID_MS = 3_600_000;
const CODE_BYTES = 32;

/** Without a code none is right. */
export const NO_CODE: UseCode = () => false;

export function createSignInCode(now: () => number = Date.now): SignInCode {
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
