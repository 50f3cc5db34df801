import { timingSafeEqual } from "node:crypto";

export interface Secret {
  /** Compares in constant time, so that timing helps nobody guess. Empty text never matches. */
  matches(candidate: string | undefined): boolean;
  /** The same, for the digest of a candidate. */
  matchesDigest(digest: Uint8Array): boolean;
}

export function createSecret(value: string): Secret {
  // The comparison needs equal lengths, which digests have.
  const expected = digestOf(value);
  const matchesDigest = (digest: Uint8Array) => value !== "" && timingSafeEqual(digest, expected);
  return {
    matches: (candidate) => candidate !== undefined && matchesDigest(digestOf(candidate)),
    matchesDigest,
  };
}

/** Returns the SHA-256. */
export const digestOf = (secret: string): Uint8Array => Bun.SHA256.hash(secret) as Uint8Array;

/** Returns 122 random bits as a UUID, the form of the reference's tokens. */
export const newToken = (): string => crypto.randomUUID();

/** The form in which tokens, agent keys and session cookies are stored: SHA-256 in lower-case hex. */
export const hashSecret = (secret: string): string => digestOf(secret).toHex();
