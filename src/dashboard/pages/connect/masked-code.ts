import { type CodeStep, type Target, TOKEN_PLACE } from "./guides/guide.ts";

const MASK = "••••••••";
/** Needs no quotes anywhere, as a token. */
const MASKED_TOKEN = "masked0token0masked";

export interface MaskedText {
  /** The text to copy. */
  text: string;
  /** The text to show: the same without the token. */
  shown: string;
}

/** Returns a text with the token, or with what stands for it. */
export function maskedText(
  write: CodeStep["code"],
  target: Omit<Target, "token">,
  token: string,
): MaskedText {
  const text = write({ ...target, token: token || TOKEN_PLACE });
  if (token === "") return { text, shown: text };
  return { text, shown: write({ ...target, token: MASKED_TOKEN }).replaceAll(MASKED_TOKEN, MASK) };
}
