import { and, asc, eq, getTableColumns, isNull, sql } from "drizzle-orm";
import type { AgentKeyChanges, AgentKeyStore, NewAgentKey } from "../store.ts";
import { type Connection, jsonOrNull, placeholders } from "./database.ts";
import { agentKeys } from "./schema.ts";

const { hash: _hash, ...STORED } = getTableColumns(agentKeys);
const { revokedAt: _revokedAt, ...ADDED } = getTableColumns(agentKeys);
const { priority, weight, tags, ownerId, showsName } = getTableColumns(agentKeys);
const CHANGEABLE = { priority, weight, tags, ownerId, showsName };

const DEFAULTS = { priority: null, weight: null, tags: null, ownerId: null, showsName: false };

export function createAgentKeyStore(connection: Connection, now: () => number): AgentKeyStore {
  const query = prepare(connection);
  const insert = createKeyInsert(connection, now);
  return {
    async add(key) {
      await connection.write(() => insert(key));
    },

    change: (id, changes) =>
      connection.write(() => {
        const known = query.changeable.get({ id });
        if (!known) return false;
        query.update.run({ id, ...toRow({ ...known, ...changes }) });
        return true;
      }),

    list: async () => query.list.all(),

    revoke: (id) => connection.write(() => query.revoke.get({ id, now: now() }) !== undefined),

    findByHash: async (hash) => query.findByHash.get({ hash }),
  };
}

/** Returns a function that adds a key within a transaction, as `AgentKeyStore.add` does. */
export function createKeyInsert({ orm }: Connection, now: () => number): (key: NewAgentKey) => void {
  const insert = orm.insert(agentKeys).values(placeholders(ADDED)).prepare();
  const findActive = orm
    .select({ id: agentKeys.id })
    .from(agentKeys)
    .where(and(eq(agentKeys.name, sql.placeholder("name")), isNull(agentKeys.revokedAt)))
    .prepare();
  return ({ keyHash: hash, models, ...key }) => {
    if (findActive.get({ name: key.name })) throw new Error(`an agent key already has the name ${key.name}`);
    const changeable = toRow({ ...DEFAULTS, ...key });
    insert.run({ ...key, ...changeable, hash, models: jsonOrNull(models), createdAt: now() });
  };
}

function toRow({ priority, weight, tags, ownerId, showsName }: Required<AgentKeyChanges>) {
  return { priority, weight, tags: jsonOrNull(tags), ownerId, showsName: Number(showsName) };
}

function prepare({ orm }: Connection) {
  const isActive = isNull(agentKeys.revokedAt);
  const activeById = and(eq(agentKeys.id, sql.placeholder("id")), isActive);
  return {
    changeable: orm.select(CHANGEABLE).from(agentKeys).where(activeById).prepare(),
    update: orm.update(agentKeys).set(placeholders(CHANGEABLE)).where(activeById).prepare(),
    list: orm.select(STORED).from(agentKeys).orderBy(asc(agentKeys.createdAt), asc(sql`rowid`)).prepare(),
    revoke: orm
      .update(agentKeys)
      .set({ revokedAt: sql`${sql.placeholder("now")}` })
      .where(activeById)
      .returning({ id: agentKeys.id })
      .prepare(),
    findByHash: orm
      .select(STORED)
      .from(agentKeys)
      .where(eq(agentKeys.hash, sql.placeholder("hash")))
      .prepare(),
  };
}
