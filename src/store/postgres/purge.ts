import type { Pool } from "./pool.ts";

/** The most rows deleted by one statement. */
const BATCH_ROWS = 1_000;
/** Any number, the same in every version. It is a lock of one database only. */
const LOCK = 0x43684154;

/**
 * Returns a function that deletes the rows of a table whose `timeColumn` is before a time, and resolves with
 * their number. One server at a time purges: another one deletes nothing. Pauses for as long as each batch took.
 */
export function createPurge(pool: Pool, table: string, timeColumn: string) {
  const statement = `
    WITH turn AS MATERIALIZED (SELECT pg_try_advisory_xact_lock(${LOCK}) AS mine)
    DELETE FROM ${table} WHERE ctid = ANY (ARRAY(
      SELECT ctid FROM ${table} WHERE (SELECT mine FROM turn) AND ${timeColumn} < $1::float8::bigint LIMIT ${BATCH_ROWS}
    )) RETURNING 1`;
  return async (before: number): Promise<number> => {
    let purged = 0;
    for (;;) {
      const startedAt = performance.now();
      const deleted = (await pool.run(statement, [before])).length;
      purged += deleted;
      if (deleted < BATCH_ROWS) return purged;
      await Bun.sleep(performance.now() - startedAt);
    }
  };
}
