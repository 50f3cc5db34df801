import { asc, eq, gt, sql } from "drizzle-orm";
import type { StoredUser, UserStore } from "../store.ts";
import type { Connection } from "./database.ts";
import { tokens, users } from "./schema.ts";

const LIST_PAGE_ROWS = 2_000;

interface UserStoreOptions {
  connection: Connection;
  now: () => number;
  /** Called once the user is gone from the disk. */
  onDelete: (id: string) => void;
}

export function createUserStore({ connection, now, onDelete }: UserStoreOptions): UserStore {
  const query = prepare(connection);
  return {
    async add(added) {
      await connection.write(() => {
        for (const { id, tokenHash, sealedToken } of added) {
          query.insertUser.run({ id, now: now() });
          query.insertToken.run({ hash: tokenHash, user: id, sealed: Buffer.from(sealedToken), now: now() });
        }
      });
    },

    async delete(id) {
      const deleted = await connection.write(() => query.deleteUser.get({ id }) !== undefined);
      onDelete(id);
      return deleted;
    },

    // In pages, so that a list of 100,000 does not hold up the asks of the others.
    async list() {
      const found: StoredUser[] = [];
      let after = 0;
      for (;;) {
        const page = query.page.all({ after });
        for (const { id, sealedToken } of page) found.push({ id, sealedToken });
        const last = page.at(-1);
        if (last === undefined || page.length < LIST_PAGE_ROWS) return found;
        after = last.seq;
        await new Promise(setImmediate);
      }
    },

    async findByTokenHash(tokenHash) {
      return query.findByHash.get({ hash: tokenHash })?.user;
    },
  };
}

function prepare({ orm }: Connection) {
  return {
    insertUser: orm
      .insert(users)
      .values({ id: sql.placeholder("id"), createdAt: sql.placeholder("now") })
      .prepare(),
    insertToken: orm
      .insert(tokens)
      .values({
        hash: sql.placeholder("hash"),
        userId: sql.placeholder("user"),
        sealed: sql.placeholder("sealed"),
        createdAt: sql.placeholder("now"),
      })
      .prepare(),
    deleteUser: orm
      .delete(users)
      .where(eq(users.id, sql.placeholder("id")))
      .returning({ id: users.id })
      .prepare(),
    page: orm
      .select({ seq: users.seq, id: users.id, sealedToken: tokens.sealed })
      .from(users)
      .innerJoin(tokens, eq(tokens.userId, users.id))
      .where(gt(users.seq, sql.placeholder("after")))
      .orderBy(asc(users.seq))
      .limit(LIST_PAGE_ROWS)
      .prepare(),
    // One table: a join here costs several times the whole look-up.
    findByHash: orm
      .select({ user: tokens.userId })
      .from(tokens)
      .where(eq(tokens.hash, sql.placeholder("hash")))
      .prepare(),
  };
}
