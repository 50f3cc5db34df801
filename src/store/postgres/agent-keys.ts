import { getTableColumns } from "drizzle-orm";
import type { AgentKeyStore, NewAgentKey, StoredAgentKey } from "../store.ts";
import { isTaken, type Run } from "./pool.ts";
import type { Pools } from "./pools.ts";
import { insertInto, rowOf, rowsOf, selected, updateOf } from "./rows.ts";
import { agentKeys } from "./schema.ts";

const { hash: _hash, seq: _seq, ...STORED } = getTableColumns(agentKeys);
const { seq: _s, revokedAt: _revokedAt, ...ADDED } = getTableColumns(agentKeys);
const DEFAULTS = { priority: null, weight: null, tags: null, ownerId: null, showsName: false };
const CHANGEABLE = Object.keys(DEFAULTS);

const INSERT = insertInto(agentKeys, Object.keys(ADDED));
const LIST = `SELECT ${selected(STORED)} FROM agent_keys ORDER BY seq`;
const REVOKE = `UPDATE agent_keys SET revoked_at = $2::float8 WHERE id = $1 AND revoked_at IS NULL RETURNING id`;
const FIND = `SELECT ${selected(STORED)} FROM agent_keys WHERE hash = $1`;

/** Adds a key by a function that runs statements, as `AgentKeyStore.add` does. */
export async function addKey(run: Run, { keyHash: hash, ...key }: NewAgentKey, now: number): Promise<void> {
  try {
    await run(INSERT, [rowsOf(agentKeys, [{ ...DEFAULTS, ...key, hash, createdAt: now }])]);
  } catch (error) {
    if (!isTaken(error, "agent_keys_active_name")) throw error;
    throw new Error(`an agent key already has the name ${key.name}`, { cause: error });
  }
}

export function createAgentKeyStore({ hot }: Pools, now: () => number): AgentKeyStore {
  return {
    add: (key) => addKey(hot.run, key, now()),

    async change(id, changes) {
      const fields = CHANGEABLE.filter((field) => Object.hasOwn(changes, field));
      const update = updateOf(agentKeys, fields, "agent_keys.revoked_at IS NULL");
      return (await hot.run(update, [rowOf(agentKeys, { ...changes, id })])).length > 0;
    },

    // There are few. Each server looks every second whether the keys of its agents have changed.
    list: () => hot.read<StoredAgentKey>(LIST),

    revoke: async (id) => (await hot.run(REVOKE, [id, now()])).length > 0,

    findByHash: async (hash) => (await hot.read<StoredAgentKey>(FIND, [hash]))[0],
  };
}
