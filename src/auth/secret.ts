import { hkdfSync, timingSafeEqual } from "node:crypto";

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

interface Keys {
  clusterKey?: string | undefined;
  agentKey?: string | undefined;
  sealKey?: string | undefined;
}

/**
 * Returns the agent key and the seal key in the settings. Servers that have one cluster key derive the same keys
 * from it. A key that is given itself wins.
 */
export function sharedKeys({ clusterKey, agentKey, sealKey }: Keys): Omit<Keys, "clusterKey"> {
  const derive = (what: string) => clusterKey && derivedText(clusterKey, `${what} 1`);
  return { agentKey: agentKey ?? derive("agent key"), sealKey: sealKey ?? derive("seal key") };
}

/** Returns the end of the cookie's name of the servers that have one cluster key. */
export const sharedCookieLabel = (clusterKey: string): string =>
  derivedText(clusterKey, "session cookie 1").slice(0, 12);

/**
 * Returns what the keys of affinity begin with, so that they say nothing about texts. Servers with one cluster key tell
 * each other their keys, and have the same beginning. Without one it is chosen anew.
 */
export function affinitySeed(clusterKey: string | undefined): bigint {
  const [seed = 0n] =
    clusterKey === undefined
      ? crypto.getRandomValues(new BigUint64Array(1))
      : new BigUint64Array(deriveKey(clusterKey, "affinity 1", 8));
  return seed;
}

/** Derives bytes from a key by HKDF-SHA-256 (RFC 5869) without salt: others for each purpose. */
export const deriveKey = (key: string, purpose: string, length = 32): ArrayBuffer =>
  hkdfSync("sha256", key, "", `chatgpt-api-server ${purpose}`, length);

const derivedText = (key: string, purpose: string): string =>
  Buffer.from(deriveKey(key, purpose)).toString("base64url");
