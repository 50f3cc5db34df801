import { and, asc, eq, getTableColumns, gt, lte, sql } from "drizzle-orm";
import type { PairingStore } from "../store.ts";
import { createKeyInsert } from "./agent-keys.ts";
import { type Connection, placeholders } from "./database.ts";
import { pairings } from "./schema.ts";

const COLUMNS = getTableColumns(pairings);
const { hash: _hash, ...STORED } = COLUMNS;

export function createPairingStore(connection: Connection, now: () => number): PairingStore {
  const query = prepare(connection);
  const insertKey = createKeyInsert(connection, now);
  return {
    add: ({ given, ...pairing }, max) =>
      connection.write(() => {
        query.deleteExpired.run({ now: now() });
        if (query.list.all({ now: now() }).length >= max) return false;
        query.insert.run({ ...pairing, given: JSON.stringify(given) });
        return true;
      }),

    find: async (hash) => query.find.get({ hash, now: now() }),

    list: async () => query.list.all({ now: now() }),

    cancel: (id) => connection.write(() => query.cancel.get({ id, now: now() }) !== undefined),

    redeem: (hash, key) =>
      connection.write(() => {
        if (!query.use.get({ hash, now: now() })) return false;
        insertKey(key);
        return true;
      }),
  };
}

function prepare({ orm }: Connection) {
  const isOpen = gt(pairings.expiresAt, sql.placeholder("now"));
  const byHash = and(eq(pairings.hash, sql.placeholder("hash")), isOpen);
  const byId = and(eq(pairings.id, sql.placeholder("id")), isOpen);
  return {
    insert: orm.insert(pairings).values(placeholders(COLUMNS)).prepare(),
    deleteExpired: orm
      .delete(pairings)
      .where(lte(pairings.expiresAt, sql.placeholder("now")))
      .prepare(),
    find: orm.select(STORED).from(pairings).where(byHash).prepare(),
    list: orm.select(STORED).from(pairings).where(isOpen).orderBy(asc(sql`rowid`)).prepare(),
    cancel: orm.delete(pairings).where(byId).returning({ id: pairings.id }).prepare(),
    use: orm.delete(pairings).where(byHash).returning({ id: pairings.id }).prepare(),
  };
}
