import { and, asc, eq, getTableColumns, isNull, sql } from "drizzle-orm";
import type { AgentKeyStore } from "../store.ts";
import { type Connection, placeholders } from "./database.ts";
import { agentKeys } from "./schema.ts";

const { hash: _hash, ...STORED } = getTableColumns(agentKeys);
const { revokedAt: _revokedAt, ...ADDED } = getTableColumns(agentKeys);

export function createAgentKeyStore(connection: Connection, now: () => number): AgentKeyStore {
  const query = prepare(connection);
  return {
    async add({ keyHash: hash, models, ...key }) {
      const row = { ...key, hash, models: models && JSON.stringify(models), createdAt: now() };
      await connection.write(() => {
        if (query.findActive.get({ name: key.name }))
          throw new Error(`an agent key already has the name ${key.name}`);
        query.insert.run(row);
      });
    },

    list: async () => query.list.all(),

    revoke: (id) => connection.write(() => query.revoke.get({ id, now: now() }) !== undefined),

    findByHash: async (hash) => query.findByHash.get({ hash }),
  };
}

function prepare({ orm }: Connection) {
  const isActive = isNull(agentKeys.revokedAt);
  return {
    insert: orm.insert(agentKeys).values(placeholders(ADDED)).prepare(),
    findActive: orm
      .select({ id: agentKeys.id })
      .from(agentKeys)
      .where(and(eq(agentKeys.name, sql.placeholder("name")), isActive))
      .prepare(),
    list: orm.select(STORED).from(agentKeys).orderBy(asc(agentKeys.createdAt), asc(sql`rowid`)).prepare(),
    revoke: orm
      .update(agentKeys)
      .set({ revokedAt: sql`${sql.placeholder("now")}` })
      .where(and(eq(agentKeys.id, sql.placeholder("id")), isActive))
      .returning({ id: agentKeys.id })
      .prepare(),
    findByHash: orm
      .select(STORED)
      .from(agentKeys)
      .where(eq(agentKeys.hash, sql.placeholder("hash")))
      .prepare(),
  };
}
