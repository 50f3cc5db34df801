import { createHmac, hkdfSync, timingSafeEqual } from "node:crypto";

export interface Resume {
  /**
   * The secret that takes the agent's identity back; the same for the same agent, also after a restart. `key`
   * is the id of the agent key that it registered by, null or missing for the main one or none.
   */
  secretFor(agent: string, key?: string | null): string;
  /** Whether it is the secret that was given to this agent behind this key. */
  matches(agent: string, secret: string, key?: string | null): boolean;
}

/**
 * Secrets that nobody needs to store: each is the agent's id under a key that is derived from the main agent
 * key and the id of the one it registered by (HKDF, RFC 5869, then HMAC-SHA-256). With a new main key all of
 * them are void, and those behind a key of its own when that is revoked, as nobody can show it any more.
 */
export function createResume(mainKey: string): Resume {
  const keyFor = (key: string | null) => {
    const info = `chatgpt-api-server resume${key === null ? "" : ` ${key}`}`;
    return Buffer.from(hkdfSync("sha256", mainKey, "", info, 32));
  };
  const main = keyFor(null);
  const secretFor: Resume["secretFor"] = (agent, key = null) =>
    createHmac("sha256", key === null ? main : keyFor(key))
      .update(agent)
      .digest("base64url");
  return {
    secretFor,
    matches(agent, secret, key) {
      const expected = Buffer.from(secretFor(agent, key));
      const given = Buffer.from(secret);
      return expected.length === given.length && timingSafeEqual(expected, given);
    },
  };
}
