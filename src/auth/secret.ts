import { timingSafeEqual } from "node:crypto";

export interface Secret {
  /** Takes the same time whatever the candidate, so that nobody can guess a way in. An empty one never matches. */
  matches(candidate: string | undefined): boolean;
}

export function createSecret(value: string): Secret {
  // Digests have one length, as the comparison needs.
  const expected = Bun.SHA256.hash(value);
  return {
    matches: (candidate) =>
      candidate !== undefined && candidate !== "" && timingSafeEqual(Bun.SHA256.hash(candidate), expected),
  };
}

/** Returns 122 random bits as a UUID, the form of the reference's tokens. */
export const newToken = (): string => crypto.randomUUID();

/** The form in which tokens, agent keys and session cookies are stored and looked up: SHA-256 in lower-case hex. */
export const hashSecret = (secret: string): string => Bun.SHA256.hash(secret, "hex");
