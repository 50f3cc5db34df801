import { randomBytes } from "node:crypto";
import { BoundedMap } from "../bounded-map.ts";
import { AppError, orFail } from "../errors.ts";
import type {
  AgentKeyChanges,
  AgentKeyStore,
  NewAgentKey,
  StoredAgentKey,
  UserStore,
} from "../store/store.ts";
import { hashSecret, type Secret } from "./secret.ts";

/**
 * The key that an agent registered with. The `id` of the main key, which is not in the store, is null. The main
 * key allows every tag.
 */
export type AgentKey = Omit<StoredAgentKey, "id" | "createdAt" | "revokedAt"> & { id: string | null };

interface AgentKeysOptions {
  main: Pick<Secret, "matches">;
  store: AgentKeyStore;
  /** For the check that the owner of a key exists. */
  users: Pick<UserStore, "find">;
  /** How long a key that was found counts while the store cannot be read. Default: not at all. */
  graceMs?: number;
  now?: () => number;
  /** Called after a key was revoked through this object. */
  onRevoke?: (id: string) => void;
  /** Called after a key was changed through this object, with what it says then. */
  onChange?: (key: AgentKey) => void;
}

/** The name of the main key in the log. */
export const MAIN_KEY_NAME = "main";

/** Begins every key, so that other text needs no look-up. */
const PREFIX = "agent-";
const KEY_BYTES = 32;
const KEY_LENGTH_MAX = 256;

const MAIN: AgentKey = {
  ...{ id: null, name: MAIN_KEY_NAME, models: null },
  ...{ priority: null, weight: null, tags: null, ownerId: null, showsName: false },
};

export type AgentKeys = ReturnType<typeof createAgentKeys>;

export function createAgentKeys(options: AgentKeysOptions) {
  const { main, store, users, onRevoke, onChange } = options;
  const known = withGrace(options);
  const find = async (id: string) => (await store.list()).find((key) => key.id === id);

  async function checkOwner({ ownerId }: AgentKeyChanges): Promise<void> {
    if (ownerId == null || (await orFail("verify_failed", () => users.find(ownerId)))) return;
    throw new AppError("user_unknown", { hint: "The owner of an agent key must be the id of a user." });
  }

  type Added = Omit<NewAgentKey, "keyHash">;
  async function add(added: Added): Promise<string>;
  async function add(added: Added, save: (key: NewAgentKey) => Promise<boolean>): Promise<string | false>;
  async function add(added: Added, save?: (key: NewAgentKey) => Promise<boolean>) {
    const taken = () =>
      new AppError("agent_key_name_taken", { hint: "Choose another name, or revoke that key first." });
    if (await isTaken(added.name)) throw taken();
    await checkOwner(added);
    const key = PREFIX + randomBytes(KEY_BYTES).toString("base64url");
    try {
      const stored = { ...added, keyHash: hashSecret(key) };
      if (save) return (await save(stored)) && key;
      await store.add(stored);
      return key;
    } catch (error) {
      // The name may have been taken in the meantime, or the owner deleted.
      await checkOwner(added);
      throw (await isTaken(added.name)) ? taken() : error;
    }
  }

  const isTaken = async (name: string) =>
    name === MAIN_KEY_NAME || (await store.list()).some((key) => key.name === name && key.revokedAt === null);

  return {
    /** Returns the key with this text, if there is one. Throws verify_failed when the store fails. */
    async find(candidate: string): Promise<AgentKey | "revoked" | undefined> {
      if (main.matches(candidate)) return MAIN;
      if (!candidate.startsWith(PREFIX) || candidate.length > KEY_LENGTH_MAX) return undefined;
      const found = await orFail("verify_failed", () => known.find(hashSecret(candidate)));
      if (!found) return undefined;
      return found.revokedAt === null ? toKey(found) : "revoked";
    },

    /**
     * Adds a key. Returns its secret text, which is shown only now: the store keeps its hash. Throws
     * agent_key_name_taken if the main key or a key that is not revoked has the name, and user_unknown. `save` may
     * store the key in another way; if it resolves with false, so does this.
     */
    add,

    /** Throws user_unknown if a key is to have an owner who does not exist. */
    checkOwner,

    /**
     * Changes a key, and the agents that are connected with it at once. Returns the changed key; false when it
     * does not exist or was revoked. Throws user_unknown.
     */
    async change(id: string, changes: AgentKeyChanges): Promise<StoredAgentKey | false> {
      await checkOwner(changes);
      const isChanged = await store.change(id, changes).catch(async (error) => {
        await checkOwner(changes);
        throw error;
      });
      known.forget(id);
      const changed = isChanged ? await find(id) : undefined;
      if (!changed) return false;
      onChange?.(toKey(changed));
      return changed;
    },

    /** Returns the keys in the order they were added, including revoked ones, without the main key. */
    list: () => store.list(),

    /** Revokes a key. False when it does not exist or was already revoked. */
    async revoke(id: string): Promise<boolean> {
      const revoked = await store.revoke(id);
      known.forget(id);
      if (revoked) onRevoke?.(id);
      return revoked;
    },

    /** Must be called with the ids of keys that another server has changed or revoked. */
    forget: known.forget,

    /** Returns the keys that are not revoked by their ids, also as another process has changed them. */
    async active(): Promise<Map<string, AgentKey>> {
      const active = (await store.list()).filter(({ revokedAt }) => revokedAt === null);
      return new Map(active.map((key) => [key.id, toKey(key)]));
    },
  };
}

/** The keys that are remembered for the time when the store cannot be read. */
const REMEMBERED_MAX = 10_000;

/** A look-up that a change overtakes is made again, but not for as long as keys are changed all the time. */
const LOOK_UPS_MAX = 3;

/** Looks up keys by their hashes. While that fails, keys that were found lately are still found. */
function withGrace({ store, graceMs = 0, now = Date.now }: AgentKeysOptions) {
  const known = new BoundedMap<string, { key: StoredAgentKey; until: number }>(REMEMBERED_MAX);
  /** How often keys were forgotten: a look-up that began before may be out of date. */
  let forgotten = 0;

  /** Resolves with the key, and whether it is as it was before a change. */
  async function lookUp(hash: string): Promise<{ key: StoredAgentKey | undefined; isOld: boolean }> {
    for (let tries = 1; ; tries++) {
      const before = forgotten;
      const key = await store.findByHash(hash);
      const isOld = before !== forgotten;
      if (!isOld || tries === LOOK_UPS_MAX) return { key, isOld };
    }
  }

  return {
    async find(hash: string): Promise<StoredAgentKey | undefined> {
      try {
        const { key, isOld } = await lookUp(hash);
        if (key && !isOld && graceMs > 0) known.set(hash, { key, until: now() + graceMs });
        else known.delete(hash);
        return key;
      } catch (error) {
        const before = known.get(hash);
        if (before && now() < before.until) return before.key;
        throw error;
      }
    },

    /** Forgets keys that were changed or revoked: they must not be found as they were before. */
    forget(...ids: readonly string[]): void {
      forgotten++;
      const changed = new Set(ids);
      for (const [hash, { key }] of known) if (changed.has(key.id)) known.delete(hash);
    },
  };
}

const toKey = ({ createdAt: _, revokedAt: __, ...key }: StoredAgentKey): AgentKey => key;

/** Returns what is known about a key, as it is written in JSON. */
export function describeAgentKey({ createdAt, revokedAt, ...key }: StoredAgentKey) {
  return {
    ...describeNewKey(key),
    created_at: new Date(createdAt).toISOString(),
    revoked_at: revokedAt === null ? null : new Date(revokedAt).toISOString(),
  };
}

/** Returns what a new key was given, as it is written in JSON. */
export function describeNewKey({ id, name, models, ...given }: Omit<NewAgentKey, "keyHash">) {
  const { priority = null, weight = null, tags = null, ownerId = null, showsName = false } = given;
  return { id, name, models, priority, weight, tags, owner_id: ownerId, shows_name: showsName };
}

/** The changeable fields of a key in JSON. */
export interface AgentKeyFields {
  priority?: number | null | undefined;
  weight?: number | null | undefined;
  tags?: readonly string[] | null | undefined;
  owner_id?: string | null | undefined;
  shows_name?: boolean | null | undefined;
}

/** Returns the changes that the given fields ask for. Null removes a value. */
export function agentKeyChanges({ priority, weight, tags, owner_id, shows_name }: AgentKeyFields) {
  const changes: AgentKeyChanges = {};
  if (priority !== undefined) changes.priority = priority;
  if (weight !== undefined) changes.weight = weight;
  if (tags !== undefined) changes.tags = tags && [...new Set(tags)];
  if (owner_id !== undefined) changes.ownerId = owner_id;
  if (shows_name !== undefined) changes.showsName = shows_name ?? false;
  return changes;
}

/** Returns the given fields as they are written to the audit. */
export function agentKeyFields({ ownerId, showsName, ...same }: AgentKeyChanges): AgentKeyFields {
  return {
    ...same,
    ...(ownerId !== undefined && { owner_id: ownerId }),
    ...(showsName !== undefined && { shows_name: showsName }),
  };
}
