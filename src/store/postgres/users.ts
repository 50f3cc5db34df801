import { getTableColumns } from "drizzle-orm";
import type { StoredUser, TokenOwner, UserStore } from "../store.ts";
import type { Run } from "./pool.ts";
import type { Pools } from "./pools.ts";
import { writeNames } from "./reports/names.ts";
import { insertInto, plain, rowOf, rowsOf, selected, updateOf } from "./rows.ts";
import { tokens, users } from "./schema.ts";

const LIST_PAGE_ROWS = 2_000;
/** More users are added on a connection that may take long. */
const MANY_USERS = 100;

const { seq: _seq, ...USER_COLUMNS } = getTableColumns(users);
const { id: _id, createdAt: _createdAt, ...CHANGEABLE } = USER_COLUMNS;
const { expiresAt: _expiresAt, ...NEW_TOKEN_COLUMNS } = getTableColumns(tokens);

const INSERT_USERS = insertInto(users, Object.keys(USER_COLUMNS));
const INSERT_TOKENS = insertInto(tokens, Object.keys(NEW_TOKEN_COLUMNS));
const WITH_NEWEST_TOKEN = `FROM users JOIN tokens ON tokens.user_id = users.id AND tokens.expires_at IS NULL`;
const STORED = `${selected(USER_COLUMNS, users)}, tokens.sealed AS "sealedToken"`;
const FIND = `SELECT ${STORED} ${WITH_NEWEST_TOKEN} WHERE users.id = $1`;
const PAGE = `SELECT users.seq::float8 AS seq, ${STORED} ${WITH_NEWEST_TOKEN}
  WHERE users.seq > $1::float8 ORDER BY users.seq LIMIT ${LIST_PAGE_ROWS}`;
const DELETE = "DELETE FROM users WHERE id = $1 RETURNING name";
const LOCK = "SELECT id FROM users WHERE id = $1 FOR UPDATE";
const SHORTEN = `UPDATE tokens SET expires_at = $2::float8
  WHERE user_id = $1 AND (expires_at IS NULL OR expires_at > $2::float8)`;
const DELETE_EXPIRED = "DELETE FROM tokens WHERE user_id = $1 AND expires_at <= $2::float8";
/** Looks up both tables by primary key in one statement. */
const FIND_OWNER = `SELECT ${selected({ id: users.id, ...CHANGEABLE }, users)}, found.expires_at::float8 AS "tokenExpiresAt"
  FROM (SELECT user_id, expires_at FROM tokens WHERE hash = $1) AS found, users WHERE users.id = found.user_id`;

/** Calls `onDelete` after a user was deleted in the database. */
export function createUserStore(
  { hot, cold }: Pools,
  now: () => number,
  onDelete: (id: string) => void,
): UserStore {
  return {
    async add(added) {
      const createdAt = now();
      const newUsers = rowsOf(
        users,
        added.map((user) => ({ ...user, createdAt })),
      );
      const newTokens = rowsOf(
        tokens,
        added.map(({ id: userId, tokenHash: hash, sealedToken: sealed }) => ({
          hash,
          userId,
          sealed,
          createdAt,
        })),
      );
      await (added.length > MANY_USERS ? cold : hot).transact(async (run) => {
        await run(INSERT_USERS, [newUsers]);
        await run(INSERT_TOKENS, [newTokens]);
      });
    },

    async change(id, changes) {
      const fields = Object.keys(CHANGEABLE).filter((field) => Object.hasOwn(changes, field));
      return (await hot.run(updateOf(users, fields), [rowOf(users, { ...changes, id })])).length > 0;
    },

    rotate: (id, token, graceUntil) =>
      hot.transact(async (run) => {
        if (!(await exists(run, id))) return false;
        const createdAt = now();
        await run(SHORTEN, [id, graceUntil]);
        await run(DELETE_EXPIRED, [id, createdAt]);
        const row = { hash: token.tokenHash, userId: id, sealed: token.sealedToken, createdAt };
        await run(INSERT_TOKENS, [rowsOf(tokens, [row])]);
        return true;
      }),

    async delete(id) {
      // With the user go their conversations, which may take long.
      const deleted = await cold.transact(async (run) => {
        const [gone] = await run<{ name: string | null }>(DELETE, [plain(id)]);
        // The usage outlives its user, and shows who that was.
        if (gone && gone.name !== null)
          await writeNames(run, [{ kind: "user", id, name: gone.name, seenAt: now() }]);
        return gone !== undefined;
      });
      onDelete(id);
      return deleted;
    },

    find: async (id) => (await hot.read<StoredUser>(FIND, [plain(id)]))[0],

    // In pages, so that listing 100,000 users does not block asks.
    async list() {
      const found: StoredUser[] = [];
      let after = 0;
      for (;;) {
        const page = await cold.read<StoredUser & { seq: number }>(PAGE, [after]);
        for (const { seq: _seq, ...user } of page) found.push(user);
        const last = page.at(-1);
        if (last === undefined || page.length < LIST_PAGE_ROWS) return found;
        after = last.seq;
        await new Promise(setImmediate);
      }
    },

    findByTokenHash: async (hash) => (await hot.read<TokenOwner>(FIND_OWNER, [hash]))[0],
  };
}

async function exists(run: Run, id: string): Promise<boolean> {
  return (await run(LOCK, [plain(id)])).length > 0;
}
