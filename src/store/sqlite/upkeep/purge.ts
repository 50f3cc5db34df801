import type { Connection } from "../database.ts";

/** The most rows deleted in one transaction: fewer than are written, as deleting a row takes longer. */
const BATCH_ROWS = 250;

/**
 * Returns a function that deletes the rows of a table whose `timeColumn` is before a time, and resolves with
 * their number. Pauses for as long as each batch took, so that asks have at least half of the time.
 */
export function createPurge({ raw, write }: Connection, table: string, timeColumn: string) {
  const old = `SELECT rowid FROM ${table} WHERE ${timeColumn} < ? LIMIT ${BATCH_ROWS}`;
  const query = raw.prepare<unknown, [number]>(
    `DELETE FROM ${table} WHERE rowid IN (${old}) RETURNING rowid`,
  );
  return async (before: number): Promise<number> => {
    let purged = 0;
    for (;;) {
      const startedAt = performance.now();
      const deleted = await write(() => query.all(before).length, { durable: false });
      purged += deleted;
      if (deleted < BATCH_ROWS) return purged;
      await Bun.sleep(performance.now() - startedAt);
    }
  };
}
