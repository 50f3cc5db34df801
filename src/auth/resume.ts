import { createHmac, hkdfSync } from "node:crypto";
import { createSecret } from "./secret.ts";

const INFO = "chatgpt-api-server resume";

export type Resume = ReturnType<typeof createResume>;

/**
 * Derives the secrets with which agents reconnect under their ids, so that none is stored: each is the
 * HMAC-SHA-256 of the agent's id, under a key derived by HKDF (RFC 5869) from the main agent key and the id
 * of the agent key it registered with. A new main key voids all of them. Revoking an agent key voids those
 * that belong to it, as the key can no longer be used. Agents without a key have secrets of their own kind, so
 * that none can resume as an agent of the main key.
 */
export function createResume(mainKey: string) {
  const deriveKey = (info: string) => Buffer.from(hkdfSync("sha256", mainKey, "", info, 32));
  const main = deriveKey(INFO);
  const keyless = deriveKey(`${INFO} without a key`);
  const keyFor = (key: string | null | undefined) => {
    if (key === undefined) return keyless;
    return key === null ? main : deriveKey(`${INFO} ${key}`);
  };
  /**
   * Returns the secret with which the agent reconnects under its id. It is the same for the same agent, also
   * after a restart. `key` is the id of the agent key that it registered with: null for the main key, undefined
   * for none.
   */
  const secretFor = (agent: string, key: string | null | undefined): string =>
    createHmac("sha256", keyFor(key)).update(agent).digest("base64url");
  return {
    secretFor,
    /** Whether `secret` is the one for this agent and key. */
    matches: (agent: string, secret: string, key: string | null | undefined) =>
      createSecret(secretFor(agent, key)).matches(secret),
  };
}
