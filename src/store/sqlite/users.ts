import { and, asc, eq, gt, isNull, lte, or, sql } from "drizzle-orm";
import type { StoredUser, TokenOwner, UserAttributes, UserStore } from "../store.ts";
import type { Connection } from "./database.ts";
import { tokens, users } from "./schema.ts";

const LIST_PAGE_ROWS = 2_000;

interface UserStoreOptions {
  connection: Connection;
  now: () => number;
  /** Called once the user is gone from the disk. */
  onDelete: (id: string) => void;
}

type Changeable = UserAttributes & Pick<StoredUser, "disabledAt">;

const UNLIMITED: Changeable = {
  name: null,
  expiresAt: null,
  models: null,
  requestsPerMinute: null,
  tokensPerDay: null,
  maxParallel: null,
  disabledAt: null,
};

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

    // In pages, so that a list of 100,000 does not hold up the asks of the others.
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

/** Drizzle would write a null as JSON's, so the names of models are encoded here. */
function toRow({ models, ...others }: Changeable) {
  return { ...others, models: models && JSON.stringify(models) };
}

function prepare(connection: Connection) {
  return { ...prepareUsers(connection), ...prepareTokens(connection) };
}

const CHANGEABLE = {
  name: users.name,
  expiresAt: users.expiresAt,
  models: users.models,
  requestsPerMinute: users.requestsPerMinute,
  tokensPerDay: users.tokensPerDay,
  maxParallel: users.maxParallel,
  disabledAt: users.disabledAt,
};

const CHANGEABLE_VALUES = {
  name: sql`${sql.placeholder("name")}`,
  expiresAt: sql`${sql.placeholder("expiresAt")}`,
  models: sql`${sql.placeholder("models")}`,
  requestsPerMinute: sql`${sql.placeholder("requestsPerMinute")}`,
  tokensPerDay: sql`${sql.placeholder("tokensPerDay")}`,
  maxParallel: sql`${sql.placeholder("maxParallel")}`,
  disabledAt: sql`${sql.placeholder("disabledAt")}`,
};

function prepareUsers({ orm }: Connection) {
  const byId = eq(users.id, sql.placeholder("id"));
  const stored = { ...CHANGEABLE, id: users.id, createdAt: users.createdAt, sealedToken: tokens.sealed };
  const newest = and(eq(tokens.userId, users.id), isNull(tokens.expiresAt));
  return {
    insertUser: orm
      .insert(users)
      .values({ id: sql.placeholder("id"), createdAt: sql.placeholder("now"), ...CHANGEABLE_VALUES })
      .prepare(),
    changeable: orm.select(CHANGEABLE).from(users).where(byId).prepare(),
    update: orm.update(users).set(CHANGEABLE_VALUES).where(byId).prepare(),
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

/** Of each table by its key: a join costs twice as much, and so do two queries. */
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
