import { timingSafeEqual } from "node:crypto";

export interface Secret {
  /** Compares in constant time, so that timing helps nobody guess. Empty text never matches. */
  matches(candidate: string | undefined): boolean;
}

export function createSecret(value: string): Secret {
  // The comparison needs equal lengths, which digests have.
  const expected = Bun.SHA256.hash(value);
  return {
    matches: (candidate) =>
      candidate !== undefined && candidate !== "" && timingSafeEqual(Bun.SHA256.hash(candidate), expected),
  };
}

/** Returns 122 random bits as a UUID, the form of the reference's tokens. */
export const newToken = (): string => crypto.randomUUID();

/** The form in which tokens, agent keys and session cookies are stored: SHA-256 in lower-case hex. */
export const hashSecret = (secret: string): string => Bun.SHA256.hash(secret, "hex");
