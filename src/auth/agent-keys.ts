import { randomBytes } from "node:crypto";
import { AppError } from "../errors.ts";
import type { AgentKeyStore, StoredAgentKey } from "../store/store.ts";
import { hashSecret, type Secret } from "./secret.ts";

/** The key that an agent registered with. */
export interface AgentKey {
  /** Null for the main key, which is in the data folder or the settings. */
  id: string | null;
  name: string;
  /** The models that its agents may offer; null for all. */
  models: readonly string[] | null;
}

/** A new key with its secret text, which is shown only now: the store keeps its hash. */
export interface NewAgentKey {
  id: string;
  name: string;
  models: readonly string[] | null;
  key: string;
}

export interface AgentKeys {
  /** Returns the key with this text, undefined without one. Throws verify_failed when the store fails. */
  find(candidate: string): Promise<AgentKey | "revoked" | undefined>;
  /** Adds a key. Throws agent_key_name_taken if the main key or a key that is not revoked has the name. */
  add(key: { id: string; name: string; models: readonly string[] | null }): Promise<NewAgentKey>;
  /** Returns the keys in the order they were added, including revoked ones, without the main key. */
  list(): Promise<StoredAgentKey[]>;
  /** Revokes a key. False when it does not exist or was already revoked. */
  revoke(id: string): Promise<boolean>;
  /** Returns those of the ids whose keys are revoked, also by another process. */
  revokedAmong(ids: ReadonlySet<string>): Promise<string[]>;
}

interface AgentKeysOptions {
  main: Secret;
  store: AgentKeyStore;
  /** Called after a key was revoked through this object. */
  onRevoke?: (id: string) => void;
}

/** The name of the main key in the log and in lists. */
export const MAIN_KEY_NAME = "main";

/** Marks these keys, and saves a look-up for other text. */
const PREFIX = "agent-";
const KEY_BYTES = 32;
const KEY_LENGTH_MAX = 256;

const MAIN: AgentKey = { id: null, name: MAIN_KEY_NAME, models: null };

export function createAgentKeys({ main, store, onRevoke }: AgentKeysOptions): AgentKeys {
  const isTaken = async (name: string) =>
    name === MAIN_KEY_NAME || (await store.list()).some((key) => key.name === name && key.revokedAt === null);

  return {
    async find(candidate) {
      if (main.matches(candidate)) return MAIN;
      if (!candidate.startsWith(PREFIX) || candidate.length > KEY_LENGTH_MAX) return undefined;
      const found = await lookUp(store, hashSecret(candidate));
      if (!found) return undefined;
      const { id, name, models, revokedAt } = found;
      return revokedAt === null ? { id, name, models } : "revoked";
    },

    async add({ id, name, models }) {
      const taken = () =>
        new AppError("agent_key_name_taken", { hint: "Choose another name, or revoke that key first." });
      if (await isTaken(name)) throw taken();
      const key = PREFIX + randomBytes(KEY_BYTES).toString("base64url");
      try {
        await store.add({ id, name, models, keyHash: hashSecret(key) });
      } catch (error) {
        // Another process may have taken the name in the meantime.
        throw (await isTaken(name)) ? taken() : error;
      }
      return { id, name, models, key };
    },

    list: () => store.list(),

    async revoke(id) {
      const revoked = await store.revoke(id);
      if (revoked) onRevoke?.(id);
      return revoked;
    },

    async revokedAmong(ids) {
      const active = new Set<string>();
      for (const { id, revokedAt } of await store.list()) if (revokedAt === null) active.add(id);
      return [...ids].filter((id) => !active.has(id));
    },
  };
}

async function lookUp(store: AgentKeyStore, hash: string): Promise<StoredAgentKey | undefined> {
  try {
    return await store.findByHash(hash);
  } catch (cause) {
    throw new AppError("verify_failed", { cause });
  }
}
