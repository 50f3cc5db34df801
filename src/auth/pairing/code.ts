import { randomBytes } from "node:crypto";

/** Without I, L, O and U: https://www.crockford.com/base32.html. Of 32 characters each one has five bits. */
const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const CODE_LENGTH = 8;
const CODE = /^[0-9A-HJKMNP-TV-Z]{8}$/;

/** Returns a code of 40 random bits, such as `7F4KQ2PX`. */
export function newCode(): string {
  return Array.from(randomBytes(CODE_LENGTH), (byte) => ALPHABET[byte & 31]).join("");
}

/** Returns the code as people read it: `7F4K-Q2PX`. */
export function showCode(code: string): string {
  return `${code.slice(0, 4)}-${code.slice(4)}`;
}

/**
 * Reads a code as people write it: in small letters, with blanks or hyphens anywhere, with O for 0, and I or L for 1.
 * Returns undefined if the text is not a code.
 */
export function readCode(text: string): string | undefined {
  const code = text.replace(/[\s-]/g, "").toUpperCase().replaceAll("O", "0").replace(/[IL]/g, "1");
  return CODE.test(code) ? code : undefined;
}
