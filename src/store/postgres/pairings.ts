import { getTableColumns } from "drizzle-orm";
import type { PairingStore, StoredPairing } from "../store.ts";
import { addKey } from "./agent-keys.ts";
import type { Pools } from "./pools.ts";
import { insertInto, rowsOf, selected } from "./rows.ts";
import { pairings } from "./schema.ts";

const { seq: _seq, ...COLUMNS } = getTableColumns(pairings);
const { hash: _hash, ...STORED } = COLUMNS;

/** Any number, the same in every version. It is a lock of one database only. */
const LOCK = 0x50616972;

const INSERT = insertInto(pairings, Object.keys(COLUMNS));
const DELETE_EXPIRED = "DELETE FROM pairings WHERE expires_at <= $1::float8";
const COUNT = "SELECT count(*)::int AS count FROM pairings";
const FIND = `SELECT ${selected(STORED)} FROM pairings WHERE hash = $1 AND expires_at > $2::float8`;
const LIST = `SELECT ${selected(STORED)} FROM pairings WHERE expires_at > $1::float8 ORDER BY seq`;
const CANCEL = "DELETE FROM pairings WHERE id = $1 AND expires_at > $2::float8 RETURNING id";
const USE = "DELETE FROM pairings WHERE hash = $1 AND expires_at > $2::float8 RETURNING id";

export function createPairingStore({ hot }: Pools, now: () => number): PairingStore {
  return {
    add: (pairing, max) =>
      hot.transact(async (run) => {
        // Servers that add at the same time would otherwise not see each other's pairings.
        await run("SELECT pg_advisory_xact_lock($1::bigint)", [LOCK]);
        await run(DELETE_EXPIRED, [now()]);
        const [row] = await run<{ count: number }>(COUNT);
        if ((row?.count ?? 0) >= max) return false;
        await run(INSERT, [rowsOf(pairings, [pairing])]);
        return true;
      }),

    find: async (hash) => (await hot.read<StoredPairing>(FIND, [hash, now()]))[0],

    list: () => hot.read<StoredPairing>(LIST, [now()]),

    cancel: async (id) => (await hot.run(CANCEL, [id, now()])).length > 0,

    redeem: (hash, key) =>
      hot.transact(async (run) => {
        if ((await run(USE, [hash, now()])).length === 0) return false;
        await addKey(run, key, now());
        return true;
      }),
  };
}
