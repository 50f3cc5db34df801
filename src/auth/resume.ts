import { createHmac, hkdfSync } from "node:crypto";
import { createSecret } from "./secret.ts";

export type Resume = ReturnType<typeof createResume>;

/**
 * Derives the secrets with which agents reconnect under their ids, so that none is stored: each is the
 * HMAC-SHA-256 of the agent's id, under a key derived by HKDF (RFC 5869) from the main agent key and the id
 * of the agent key it registered with. A new main key voids all of them. Revoking an agent key voids those
 * that belong to it, as the key can no longer be used.
 */
export function createResume(mainKey: string) {
  const keyFor = (key: string | null) => {
    const info = `chatgpt-api-server resume${key === null ? "" : ` ${key}`}`;
    return Buffer.from(hkdfSync("sha256", mainKey, "", info, 32));
  };
  const main = keyFor(null);
  /**
   * Returns the secret with which the agent reconnects under its id. It is the same for the same agent, also
   * after a restart. `key` is the id of the agent key that it registered with; null for the main key or none.
   */
  const secretFor = (agent: string, key: string | null = null): string =>
    createHmac("sha256", key === null ? main : keyFor(key))
      .update(agent)
      .digest("base64url");
  return {
    secretFor,
    /** Whether `secret` is the one for this agent and key. */
    matches: (agent: string, secret: string, key?: string | null) =>
      createSecret(secretFor(agent, key)).matches(secret),
  };
}
