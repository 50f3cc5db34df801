import { and, asc, eq, isNull, sql } from "drizzle-orm";
import type { AgentKeyStore } from "../store.ts";
import type { Connection } from "./database.ts";
import { agentKeys } from "./schema.ts";

interface AgentKeyStoreOptions {
  connection: Connection;
  now: () => number;
}

export function createAgentKeyStore({ connection, now }: AgentKeyStoreOptions): AgentKeyStore {
  const query = prepare(connection);
  return {
    async add({ id, name, keyHash, models }) {
      const row = { id, name, hash: keyHash, models: models && JSON.stringify(models), now: now() };
      await connection.write(() => {
        if (query.findActive.get({ name })) throw new Error(`an agent key already has the name ${name}`);
        query.insert.run(row);
      });
    },

    list: async () => query.list.all(),

    revoke: (id) => connection.write(() => query.revoke.get({ id, now: now() }) !== undefined),

    findByHash: async (hash) => query.findByHash.get({ hash }),
  };
}

function prepare({ orm }: Connection) {
  const columns = {
    id: agentKeys.id,
    name: agentKeys.name,
    models: agentKeys.models,
    createdAt: agentKeys.createdAt,
    revokedAt: agentKeys.revokedAt,
  };
  return {
    insert: orm
      .insert(agentKeys)
      .values({
        id: sql.placeholder("id"),
        name: sql.placeholder("name"),
        hash: sql.placeholder("hash"),
        // Encoded by the caller, as drizzle would write a null as the JSON text `null`.
        models: sql`${sql.placeholder("models")}`,
        createdAt: sql.placeholder("now"),
      })
      .prepare(),
    findActive: orm
      .select({ id: agentKeys.id })
      .from(agentKeys)
      .where(and(eq(agentKeys.name, sql.placeholder("name")), isNull(agentKeys.revokedAt)))
      .prepare(),
    list: orm.select(columns).from(agentKeys).orderBy(asc(agentKeys.createdAt), asc(sql`rowid`)).prepare(),
    revoke: orm
      .update(agentKeys)
      .set({ revokedAt: sql`${sql.placeholder("now")}` })
      .where(and(eq(agentKeys.id, sql.placeholder("id")), isNull(agentKeys.revokedAt)))
      .returning({ id: agentKeys.id })
      .prepare(),
    findByHash: orm
      .select(columns)
      .from(agentKeys)
      .where(eq(agentKeys.hash, sql.placeholder("hash")))
      .prepare(),
  };
}
