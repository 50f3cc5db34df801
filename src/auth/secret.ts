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
