import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";
import { CommandError } from "../errors.ts";
import { readOrCreateKey } from "./key-file.ts";

const KEY_LENGTH_MIN = 32;
const VERSION = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEAD_BYTES = 1 + NONCE_BYTES;

export type Seal = ReturnType<typeof createSeal>;

/**
 * Encrypts tokens for the store with AES-256-GCM. A sealed token is one byte of version, 12 of nonce, the
 * encrypted text, and 16 of tag. The cipher's key is HKDF-SHA-256 (RFC 5869) of `key`, without salt. Any
 * string can be the key, but a weak one stays weak: use 128 random bits or more.
 */
export function createSeal(key: string) {
  const cipherKey = Buffer.from(hkdfSync("sha256", key, "", "chatgpt-api-server seal 1", 32));
  return {
    /** Encrypts `text`. Only the same `context`, which is public, opens it: no row can pass for another. */
    seal(text: string, context: string): Uint8Array {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv("aes-256-gcm", cipherKey, nonce, { authTagLength: TAG_BYTES });
      cipher.setAAD(Buffer.from(context));
      return Buffer.concat([
        Buffer.of(VERSION),
        nonce,
        cipher.update(text, "utf8"),
        cipher.final(),
        cipher.getAuthTag(),
      ]);
    },

    /** Returns the text; undefined if it was sealed with another key or context, or was altered. */
    open(sealed: Uint8Array, context: string): string | undefined {
      if (sealed.length < HEAD_BYTES + TAG_BYTES || sealed[0] !== VERSION) return undefined;
      const tagAt = sealed.length - TAG_BYTES;
      try {
        const nonce = sealed.subarray(1, HEAD_BYTES);
        const decipher = createDecipheriv("aes-256-gcm", cipherKey, nonce, { authTagLength: TAG_BYTES });
        decipher.setAAD(Buffer.from(context));
        decipher.setAuthTag(sealed.subarray(tagAt));
        return Buffer.concat([
          decipher.update(sealed.subarray(HEAD_BYTES, tagAt)),
          decipher.final(),
        ]).toString();
      } catch {
        return undefined;
      }
    },
  };
}

interface SealSource {
  /** The key, from the environment. */
  sealKey?: string | undefined;
  /** The key file, used if there is no `sealKey`, and created if missing. */
  path: string;
}

/** Returns the seal of this server's data. Throws a `CommandError` if the key is too short. */
export function loadSeal({ sealKey, path }: SealSource): Seal {
  const key = sealKey ?? readOrCreateKey(path);
  if (key.length >= KEY_LENGTH_MIN) return createSeal(key);
  const what = sealKey === undefined ? `The key in ${path}` : "The seal key";
  throw new CommandError(
    `${what} is too short. Use ${KEY_LENGTH_MIN} random characters or more, as \`openssl rand -hex 32\` prints.`,
    { exitCode: sealKey === undefined ? 1 : 2 },
  );
}
