import { and, asc, eq, getTableColumns, gt, isNull, lte, or, sql } from "drizzle-orm";
import type { UserAttributes } from "../../user-attributes.ts";
import type { StoredToken, StoredUser, TokenOwner, UserStore } from "../store.ts";
import { type Connection, jsonOrNull, listOrNull, placeholders } from "./database.ts";
import { prepareNameWrite } from "./reports/names.ts";
import { tokens, users } from "./schema.ts";

const LIST_PAGE_ROWS = 2_000;

const { seq: _seq, ...USER_COLUMNS } = getTableColumns(users);
const { id: _id, createdAt: _createdAt, ...CHANGEABLE } = USER_COLUMNS;
const { expiresAt: _expiresAt, ...NEW_TOKEN_COLUMNS } = getTableColumns(tokens);

type Changeable = UserAttributes & Pick<StoredUser, "disabledAt">;
const UNLIMITED = Object.fromEntries(Object.keys(CHANGEABLE).map((name) => [name, null])) as Changeable;

/** Calls `onDelete` after a user was deleted from the disk. */
export function createUserStore(
  connection: Connection,
  now: () => number,
  onDelete: (id: string) => void,
): UserStore {
  const query = { ...prepareUsers(connection), ...prepareTokens(connection) };
  const findOwner = prepareFindOwner(connection);
  const writeName = prepareNameWrite(connection);

  function insertToken(userId: string, { tokenHash: hash, sealedToken }: StoredToken, createdAt: number) {
    query.insertToken.run({ hash, userId, sealed: Buffer.from(sealedToken), createdAt });
  }

  return {
    async add(added) {
      await connection.write(() => {
        const createdAt = now();
        for (const { id, tokenHash, sealedToken, ...attributes } of added) {
          query.insertUser.run({ id, createdAt, ...toRow({ ...UNLIMITED, ...attributes }) });
          insertToken(id, { tokenHash, sealedToken }, createdAt);
        }
      });
    },

    change: (id, changes) =>
      connection.write(() => {
        const known = query.changeable.get({ id });
        if (!known) return false;
        query.update.run({ id, ...toRow({ ...known, ...changes }) });
        return true;
      }),

    rotate: (id, token, graceUntil) =>
      connection.write(() => {
        if (!query.changeable.get({ id })) return false;
        const at = now();
        query.shortenTokens.run({ user: id, until: graceUntil });
        query.deleteExpired.run({ user: id, now: at });
        insertToken(id, token, at);
        return true;
      }),

    async delete(id) {
      const deleted = await connection.write(() => {
        const gone = query.deleteUser.get({ id });
        // The usage outlives its user, and shows who that was.
        if (gone && gone.name !== null) writeName({ kind: "user", id, name: gone.name, seenAt: now() });
        return gone !== undefined;
      });
      onDelete(id);
      return deleted;
    },

    find: async (id) => query.find.get({ id }),

    // In pages, so that listing 100,000 users does not block asks.
    async list() {
      const found: StoredUser[] = [];
      let after = 0;
      for (;;) {
        const page = query.page.all({ after });
        for (const { seq: _seq, ...user } of page) found.push(user);
        const last = page.at(-1);
        if (last === undefined || page.length < LIST_PAGE_ROWS) return found;
        after = last.seq;
        await new Promise(setImmediate);
      }
    },

    findByTokenHash: async (hash) => findOwner(hash),
  };
}

function toRow({ models, agentTags, ...others }: Changeable) {
  return { ...others, models: jsonOrNull(models), agentTags: jsonOrNull(agentTags) };
}

function prepareUsers({ orm }: Connection) {
  const byId = eq(users.id, sql.placeholder("id"));
  const stored = { ...USER_COLUMNS, sealedToken: tokens.sealed };
  const newestToken = and(eq(tokens.userId, users.id), isNull(tokens.expiresAt));
  return {
    insertUser: orm.insert(users).values(placeholders(USER_COLUMNS)).prepare(),
    changeable: orm.select(CHANGEABLE).from(users).where(byId).prepare(),
    update: orm.update(users).set(placeholders(CHANGEABLE)).where(byId).prepare(),
    deleteUser: orm.delete(users).where(byId).returning({ name: users.name }).prepare(),
    find: orm.select(stored).from(users).innerJoin(tokens, newestToken).where(byId).prepare(),
    page: orm
      .select({ ...stored, seq: users.seq })
      .from(users)
      .innerJoin(tokens, newestToken)
      .where(gt(users.seq, sql.placeholder("after")))
      .orderBy(asc(users.seq))
      .limit(LIST_PAGE_ROWS)
      .prepare(),
  };
}

type OwnerRow = Omit<TokenOwner, "models" | "agentTags"> & Record<"models" | "agentTags", string | null>;

/**
 * Looks up both tables by primary key in one query, as a join or two queries cost twice as much. Runs for most asks, so
 * it is prepared without drizzle, which would take half as long as SQLite itself.
 */
function prepareFindOwner({ raw }: Connection): (hash: string) => TokenOwner | undefined {
  const columns = Object.entries(CHANGEABLE).map(([name, column]) => `${column.name} AS ${name}`);
  const query = raw.prepare<OwnerRow, [string]>(`
    SELECT id, ${columns}, (SELECT expires_at FROM tokens WHERE hash = ?1) AS tokenExpiresAt
    FROM users WHERE id = (SELECT user_id FROM tokens WHERE hash = ?1)`);
  return (hash) => {
    const row = query.get(hash);
    return row ? { ...row, models: listOrNull(row.models), agentTags: listOrNull(row.agentTags) } : undefined;
  };
}

function prepareTokens({ orm }: Connection) {
  const ofUser = eq(tokens.userId, sql.placeholder("user"));
  const isValidLonger = or(isNull(tokens.expiresAt), gt(tokens.expiresAt, sql.placeholder("until")));
  return {
    insertToken: orm.insert(tokens).values(placeholders(NEW_TOKEN_COLUMNS)).prepare(),
    shortenTokens: orm
      .update(tokens)
      .set({ expiresAt: sql`${sql.placeholder("until")}` })
      .where(and(ofUser, isValidLonger))
      .prepare(),
    deleteExpired: orm
      .delete(tokens)
      .where(and(ofUser, lte(tokens.expiresAt, sql.placeholder("now"))))
      .prepare(),
  };
}
