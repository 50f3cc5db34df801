import { BoundedMap } from "../../bounded-map.ts";
import type { Pool } from "./pool.ts";

/** How many users' totals are remembered. A total that is not is summed up again. */
const TOTALS_MAX = 1_000;
/** After a user has reached the quota, this share is left, so that not every further write must delete. */
const LEFT_SHARE = 0.9;
/** After this share of the quota was added here, the total is read again, as other servers add too. */
const UNSEEN_SHARE = 0.1;

/** The tables whose rows have a user, a length and the time of their last use, with the column of their key. */
const KEYS = { conversations: "id", response_objects: "key" };
type Table = keyof typeof KEYS;

const sumOf = (table: Table) =>
  `SELECT coalesce(sum(length), 0)::float8 AS total FROM ${table} WHERE user_id IS NOT DISTINCT FROM $1`;

/** Keeps one row, and the newest of the others that fit beside it. */
const deleteOldestOf = (table: Table, key = KEYS[table]) => `
  WITH ranked AS (
    SELECT ${key} AS id, sum(length) OVER (ORDER BY ${key} = $2 DESC, used_at DESC, ${key}) AS total
    FROM ${table} WHERE user_id IS NOT DISTINCT FROM $1
  )
  DELETE FROM ${table} WHERE ${key} IN (SELECT id FROM ranked WHERE total > $3::float8 AND id <> $2)`;

/**
 * Keeps the conversations of each user, and those of the admin (null), within a quota by deleting the ones that
 * were not used for the longest time; or the rows of another such table.
 */
export function createConversationQuota(pool: Pool, quotaBytes: number, table: Table = "conversations") {
  const [sum, deleteOldest] = [sumOf(table), deleteOldestOf(table)];
  const totals = new BoundedMap<string | null, { total: number; unseen: number }>(TOTALS_MAX);
  return {
    /** Notes that conversations of the user have grown. `conversation`, one of them, stays. */
    async added(user: string | null, conversation: string, length: number): Promise<void> {
      if (quotaBytes === Number.POSITIVE_INFINITY) return;
      const known = totals.get(user);
      const unseen = (known?.unseen ?? 0) + length;
      if (known && known.total + unseen <= quotaBytes && unseen <= quotaBytes * UNSEEN_SHARE) {
        totals.set(user, { total: known.total, unseen });
        return;
      }
      const [found] = await pool.read<{ total: number }>(sum, [user]);
      const total = found?.total ?? 0;
      totals.set(user, { total, unseen: 0 });
      if (total <= quotaBytes) return;
      await pool.run(deleteOldest, [user, conversation, quotaBytes * LEFT_SHARE]);
      totals.delete(user);
    },
  };
}
