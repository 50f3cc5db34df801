import { createHmac, hkdfSync, timingSafeEqual } from "node:crypto";

export interface Resume {
  /** The secret that takes the agent's identity back; the same for the same agent, also after a restart. */
  secretFor(agent: string): string;
  matches(agent: string, secret: string): boolean;
}

/**
 * Secrets that nobody needs to store: each is the agent's id under a key that is derived from the agent key
 * (HKDF, RFC 5869, then HMAC-SHA-256). With a new agent key all of them are void.
 */
export function createResume(agentKey: string): Resume {
  const key = Buffer.from(hkdfSync("sha256", agentKey, "", "chatgpt-api-server resume", 32));
  const secretFor = (agent: string) => createHmac("sha256", key).update(agent).digest("base64url");
  return {
    secretFor,
    matches(agent, secret) {
      const expected = Buffer.from(secretFor(agent));
      const given = Buffer.from(secret);
      return expected.length === given.length && timingSafeEqual(expected, given);
    },
  };
}
