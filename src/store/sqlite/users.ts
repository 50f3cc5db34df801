import { and, asc, eq, getTableColumns, gt, isNull, lte, or, sql } from "drizzle-orm";
import type { StoredUser, TokenOwner, UserAttributes, UserStore } from "../store.ts";
import type { Connection } from "./database.ts";
import { tokens, users } from "./schema.ts";

const LIST_PAGE_ROWS = 2_000;

interface UserStoreOptions {
  connection: Connection;
  now: () => number;
  /** Called after the user was deleted from the disk. */
  onDelete: (id: string) => void;
}

/** The columns that can change: all but these three. */
const { seq: _seq, id: _id, createdAt: _createdAt, ...CHANGEABLE } = getTableColumns(users);
type Changeable = UserAttributes & Pick<StoredUser, "disabledAt">;

const UNLIMITED: Changeable = changeable(() => null);
const PLACEHOLDERS = changeable((name) => sql`${sql.placeholder(name)}`);

function changeable<Value>(value: (name: string) => Value) {
  const names = Object.keys(CHANGEABLE);
  return Object.fromEntries(names.map((name) => [name, value(name)])) as Record<
    keyof typeof CHANGEABLE,
    Value
  >;
}

export function createUserStore({ connection, now, onDelete }: UserStoreOptions): UserStore {
  const query = prepare(connection);
  return {
    async add(added) {
      await connection.write(() => {
        const at = now();
        for (const { id, tokenHash, sealedToken, ...attributes } of added) {
          query.insertUser.run({ id, now: at, ...toRow({ ...UNLIMITED, ...attributes }) });
          query.insertToken.run({ hash: tokenHash, user: id, sealed: Buffer.from(sealedToken), now: at });
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

    rotate: (id, { tokenHash, sealedToken }, graceUntil) =>
      connection.write(() => {
        if (!query.changeable.get({ id })) return false;
        const at = now();
        query.endTokens.run({ user: id, until: graceUntil });
        query.deleteEnded.run({ user: id, now: at });
        query.insertToken.run({ hash: tokenHash, user: id, sealed: Buffer.from(sealedToken), now: at });
        return true;
      }),

    async delete(id) {
      const deleted = await connection.write(() => query.deleteUser.get({ id }) !== undefined);
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
        for (const { seq: _, ...user } of page) found.push(user);
        const last = page.at(-1);
        if (last === undefined || page.length < LIST_PAGE_ROWS) return found;
        after = last.seq;
        await new Promise(setImmediate);
      }
    },

    async findByTokenHash(hash): Promise<TokenOwner | undefined> {
      return query.findOwner.get({ hash });
    },
  };
}

/** Encodes the names of models, as drizzle would write a null as the JSON text `null`. */
function toRow({ models, ...others }: Changeable) {
  return { ...others, models: models && JSON.stringify(models) };
}

function prepare(connection: Connection) {
  return { ...prepareUsers(connection), ...prepareTokens(connection) };
}

function prepareUsers({ orm }: Connection) {
  const byId = eq(users.id, sql.placeholder("id"));
  const stored = { ...CHANGEABLE, id: users.id, createdAt: users.createdAt, sealedToken: tokens.sealed };
  const newest = and(eq(tokens.userId, users.id), isNull(tokens.expiresAt));
  return {
    insertUser: orm
      .insert(users)
      .values({ id: sql.placeholder("id"), createdAt: sql.placeholder("now"), ...PLACEHOLDERS })
      .prepare(),
    changeable: orm.select(CHANGEABLE).from(users).where(byId).prepare(),
    update: orm.update(users).set(PLACEHOLDERS).where(byId).prepare(),
    deleteUser: orm.delete(users).where(byId).returning({ id: users.id }).prepare(),
    find: orm.select(stored).from(users).innerJoin(tokens, newest).where(byId).prepare(),
    page: orm
      .select({ ...stored, seq: users.seq })
      .from(users)
      .innerJoin(tokens, newest)
      .where(gt(users.seq, sql.placeholder("after")))
      .orderBy(asc(users.seq))
      .limit(LIST_PAGE_ROWS)
      .prepare(),
  };
}

/** Looks up both tables by primary key in one query; a join or two queries cost twice as much. */
function prepareFindOwner(orm: Connection["orm"]) {
  const ofToken = eq(tokens.hash, sql.placeholder("hash"));
  const user = orm.select({ id: tokens.userId }).from(tokens).where(ofToken);
  const end = orm.select({ at: tokens.expiresAt }).from(tokens).where(ofToken);
  return orm
    .select({ ...CHANGEABLE, id: users.id, tokenExpiresAt: sql<number | null>`${end}` })
    .from(users)
    .where(eq(users.id, sql`${user}`))
    .prepare();
}

function prepareTokens({ orm }: Connection) {
  const ofUser = eq(tokens.userId, sql.placeholder("user"));
  const longer = or(isNull(tokens.expiresAt), gt(tokens.expiresAt, sql.placeholder("until")));
  return {
    insertToken: orm
      .insert(tokens)
      .values({
        hash: sql.placeholder("hash"),
        userId: sql.placeholder("user"),
        sealed: sql.placeholder("sealed"),
        createdAt: sql.placeholder("now"),
      })
      .prepare(),
    endTokens: orm
      .update(tokens)
      .set({ expiresAt: sql`${sql.placeholder("until")}` })
      .where(and(ofUser, longer))
      .prepare(),
    deleteEnded: orm
      .delete(tokens)
      .where(and(ofUser, lte(tokens.expiresAt, sql.placeholder("now"))))
      .prepare(),
    findOwner: prepareFindOwner(orm),
  };
}
