import { getTableColumns } from "drizzle-orm";
import type { ListedSession, SessionStore, StoredSession } from "../store.ts";
import type { Pools } from "./pools.ts";
import { insertInto, rowsOf, selected } from "./rows.ts";
import { sessions, signInCodes } from "./schema.ts";

const { seq: _seq, ...COLUMNS } = getTableColumns(sessions);
const { createdAt: _createdAt, ...STORED } = COLUMNS;

/** Any number, the same in every version. It is a lock of one database only. */
const LOCK = 0x43684155;

const INSERT = insertInto(sessions, Object.keys(COLUMNS));
const DELETE_EXPIRED = "DELETE FROM sessions WHERE expires_at <= $1::float8";
const DELETE_OLDEST = `DELETE FROM sessions WHERE hash IN (
  SELECT hash FROM sessions WHERE user_id IS NOT DISTINCT FROM $1 ORDER BY seq DESC OFFSET $2::int) RETURNING hash`;
const DELETE_OLDEST_OF_ALL = `DELETE FROM sessions WHERE hash IN (
  SELECT hash FROM sessions ORDER BY seq DESC OFFSET $1::int) RETURNING hash`;
const FIND = `SELECT ${selected(STORED)} FROM sessions WHERE hash = $1`;
const LIST_ALL = `SELECT ${selected(COLUMNS)} FROM sessions ORDER BY seq DESC`;
const LIST = `SELECT ${selected(COLUMNS)} FROM sessions WHERE user_id IS NOT DISTINCT FROM $1 ORDER BY seq DESC`;
const KNOWN = "SELECT hash FROM sessions WHERE hash IN (SELECT json_array_elements_text($1::text::json))";
const END = "DELETE FROM sessions WHERE hash = $1 RETURNING hash";

const INSERT_CODE = insertInto(signInCodes, ["hash", "expiresAt"]);
const DELETE_EXPIRED_CODES = "DELETE FROM sign_in_codes WHERE expires_at <= $1::float8";
const USE_CODE = "DELETE FROM sign_in_codes WHERE hash = $1 AND expires_at > $2::float8 RETURNING hash";
const CLEAR_CODES = "DELETE FROM sign_in_codes";

type Hash = { hash: string };

export function createSessionStore({ hot }: Pools, now: () => number): SessionStore {
  return {
    add: (session, { ownerMax, allMax }) =>
      hot.transact(async (run) => {
        const createdAt = now();
        // Sign-ins at several servers would otherwise not see each other's sessions.
        await run("SELECT pg_advisory_xact_lock($1::bigint)", [LOCK]);
        await run(DELETE_EXPIRED, [createdAt]);
        const ofOwner = await run<Hash>(DELETE_OLDEST, [session.userId, ownerMax - 1]);
        const ofAll = await run<Hash>(DELETE_OLDEST_OF_ALL, [allMax - 1]);
        await run(INSERT, [rowsOf(sessions, [{ ...session, createdAt }])]);
        return [...ofOwner, ...ofAll].map(({ hash }) => hash);
      }),

    find: async (hash) => (await hot.read<StoredSession>(FIND, [hash]))[0],

    list: (owner) =>
      owner === "everyone" ? hot.read<ListedSession>(LIST_ALL) : hot.read<ListedSession>(LIST, [owner]),

    known: async (hashes) =>
      new Set((await hot.read<Hash>(KNOWN, [JSON.stringify(hashes)])).map(({ hash }) => hash)),

    end: async (hash) => (await hot.run(END, [hash])).length > 0,

    async addCode(hash, expiresAt) {
      await hot.run(DELETE_EXPIRED_CODES, [now()]);
      await hot.run(INSERT_CODE, [rowsOf(signInCodes, [{ hash, expiresAt }])]);
    },

    useCode: async (hash) => (await hot.run(USE_CODE, [hash, now()])).length > 0,

    async clearCodes() {
      await hot.run(CLEAR_CODES);
    },
  };
}
