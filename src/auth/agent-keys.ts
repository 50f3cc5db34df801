import { randomBytes } from "node:crypto";
import { AppError, orFail } from "../errors.ts";
import type { AgentKeyStore, StoredAgentKey } from "../store/store.ts";
import { hashSecret, type Secret } from "./secret.ts";

/**
 * The key that an agent registered with. The `id` of the main key, which is not in the store, is null. The main
 * key allows every tag.
 */
export type AgentKey = Omit<StoredAgentKey, "id" | "createdAt" | "revokedAt"> & { id: string | null };

interface AgentKeysOptions {
  main: Secret;
  store: AgentKeyStore;
  /** Called after a key was revoked through this object. */
  onRevoke?: (id: string) => void;
}

/** The name of the main key in the log. */
const MAIN_KEY_NAME = "main";

/** Begins every key, so that other text needs no look-up. */
const PREFIX = "agent-";
const KEY_BYTES = 32;
const KEY_LENGTH_MAX = 256;

const MAIN: AgentKey = {
  ...{ id: null, name: MAIN_KEY_NAME, models: null },
  ...{ priority: null, weight: null, tags: null, ownerId: null, showsName: false },
};

export type AgentKeys = ReturnType<typeof createAgentKeys>;

export function createAgentKeys({ main, store, onRevoke }: AgentKeysOptions) {
  const isTaken = async (name: string) =>
    name === MAIN_KEY_NAME || (await store.list()).some((key) => key.name === name && key.revokedAt === null);

  return {
    /** Returns the key with this text, if there is one. Throws verify_failed when the store fails. */
    async find(candidate: string): Promise<AgentKey | "revoked" | undefined> {
      if (main.matches(candidate)) return MAIN;
      if (!candidate.startsWith(PREFIX) || candidate.length > KEY_LENGTH_MAX) return undefined;
      const found = await orFail("verify_failed", () => store.findByHash(hashSecret(candidate)));
      if (!found) return undefined;
      const { createdAt: _, revokedAt, ...key } = found;
      return revokedAt === null ? key : "revoked";
    },

    /**
     * Adds a key. Returns it with its secret text, which is shown only now: the store keeps its hash. Throws
     * agent_key_name_taken if the main key or a key that is not revoked has the name.
     */
    async add(added: Pick<StoredAgentKey, "id" | "name" | "models">) {
      const taken = () =>
        new AppError("agent_key_name_taken", { hint: "Choose another name, or revoke that key first." });
      if (await isTaken(added.name)) throw taken();
      const key = PREFIX + randomBytes(KEY_BYTES).toString("base64url");
      try {
        await store.add({ ...added, keyHash: hashSecret(key) });
      } catch (error) {
        // Another process may have taken the name in the meantime.
        throw (await isTaken(added.name)) ? taken() : error;
      }
      return { ...added, key };
    },

    /** Returns the keys in the order they were added, including revoked ones, without the main key. */
    list: () => store.list(),

    /** Revokes a key. False when it does not exist or was already revoked. */
    async revoke(id: string): Promise<boolean> {
      const revoked = await store.revoke(id);
      if (revoked) onRevoke?.(id);
      return revoked;
    },

    /** Returns those of the ids whose keys are revoked, also by another process. */
    async revokedAmong(ids: ReadonlySet<string>): Promise<string[]> {
      const active = new Set<string>();
      for (const { id, revokedAt } of await store.list()) if (revokedAt === null) active.add(id);
      return [...ids].filter((id) => !active.has(id));
    },
  };
}

/** Returns what is known about a key, as it is written in JSON. */
export function describeAgentKey({ id, name, models, createdAt, revokedAt }: StoredAgentKey) {
  return {
    ...{ id, name, models, created_at: new Date(createdAt).toISOString() },
    revoked_at: revokedAt === null ? null : new Date(revokedAt).toISOString(),
  };
}
