import { eq, getTableColumns, lte, sql } from "drizzle-orm";
import type { SessionStore, StoredSession } from "../store.ts";
import { type Connection, placeholders } from "./database.ts";
import { sessions, signInCodes } from "./schema.ts";

const COLUMNS = getTableColumns(sessions);
const { createdAt: _createdAt, ...STORED } = COLUMNS;

export function createSessionStore(connection: Connection, now: () => number): SessionStore {
  const query = { ...prepareSessions(connection), ...prepareCodes(connection) };
  return {
    add: ({ isSecure, ...session }, { ownerMax, allMax }) =>
      connection.write(() => {
        const createdAt = now();
        query.deleteExpired.run({ now: createdAt });
        const given = [
          ...query.deleteOldest.all(session.userId, ownerMax - 1),
          ...query.deleteOldestOfAll.all(allMax - 1),
        ];
        query.insert.run({ ...session, isSecure: Number(isSecure), createdAt });
        return given.map(({ hash }) => hash);
      }),

    find: async (hash): Promise<StoredSession | undefined> => query.find.get({ hash }),

    list: async (owner) => (owner === "everyone" ? query.listAll.all() : query.list.all({ userId: owner })),

    known: async (hashes) => new Set(hashes.filter((hash) => query.find.get({ hash }) !== undefined)),

    end: (hash) => connection.write(() => query.end.get({ hash }) !== undefined),

    async addCode(hash, expiresAt) {
      await connection.write(() => {
        query.deleteExpiredCodes.run({ now: now() });
        query.insertCode.run({ hash, expiresAt });
      });
    },

    useCode: (hash) => connection.write(() => (query.useCode.get({ hash })?.expiresAt ?? 0) > now()),

    clearCodes: () => connection.write(() => void query.clearCodes.run()),
  };
}

function prepareSessions({ orm, raw }: Connection) {
  const byHash = eq(sessions.hash, sql.placeholder("hash"));
  type Deleted = { hash: string };
  // The row ids grow with each row, as there is no way to delete the newest one only.
  const oldest = (where: string, limit: string) =>
    `DELETE FROM sessions WHERE rowid IN (
      SELECT rowid FROM sessions WHERE ${where} ORDER BY rowid DESC LIMIT -1 OFFSET ${limit}) RETURNING hash`;
  const newest = sql`rowid DESC`;
  return {
    insert: orm.insert(sessions).values(placeholders(COLUMNS)).prepare(),
    deleteExpired: orm
      .delete(sessions)
      .where(lte(sessions.expiresAt, sql.placeholder("now")))
      .prepare(),
    deleteOldest: raw.prepare<Deleted, [string | null, number]>(oldest("user_id IS ?1", "?2")),
    deleteOldestOfAll: raw.prepare<Deleted, [number]>(oldest("true", "?1")),
    find: orm.select(STORED).from(sessions).where(byHash).prepare(),
    list: orm
      .select(COLUMNS)
      .from(sessions)
      .where(sql`${sessions.userId} IS ${sql.placeholder("userId")}`)
      .orderBy(newest)
      .prepare(),
    listAll: orm.select(COLUMNS).from(sessions).orderBy(newest).prepare(),
    end: orm.delete(sessions).where(byHash).returning({ hash: sessions.hash }).prepare(),
  };
}

function prepareCodes({ orm }: Connection) {
  return {
    insertCode: orm
      .insert(signInCodes)
      .values(placeholders(getTableColumns(signInCodes)))
      .prepare(),
    deleteExpiredCodes: orm
      .delete(signInCodes)
      .where(lte(signInCodes.expiresAt, sql.placeholder("now")))
      .prepare(),
    useCode: orm
      .delete(signInCodes)
      .where(eq(signInCodes.hash, sql.placeholder("hash")))
      .returning({ expiresAt: signInCodes.expiresAt })
      .prepare(),
    clearCodes: orm.delete(signInCodes).prepare(),
  };
}
