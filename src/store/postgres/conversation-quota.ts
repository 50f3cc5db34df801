import { BoundedMap } from "../../bounded-map.ts";
import type { Pool } from "./pool.ts";

/** How many users' totals are remembered. A total that is not is summed up again. */
const TOTALS_MAX = 1_000;
/** After a user has reached the quota, this share is left, so that not every further write must delete. */
const LEFT_SHARE = 0.9;
/** After this share of the quota was added here, the total is read again, as other servers add too. */
const UNSEEN_SHARE = 0.1;

const SUM = `SELECT coalesce(sum(length), 0)::float8 AS total FROM conversations WHERE user_id IS NOT DISTINCT FROM $1`;

/** Keeps one conversation, and the newest of the others that fit beside it. */
const DELETE_OLDEST = `
  WITH ranked AS (
    SELECT id, sum(length) OVER (ORDER BY id = $2 DESC, used_at DESC, id) AS total
    FROM conversations WHERE user_id IS NOT DISTINCT FROM $1
  )
  DELETE FROM conversations WHERE id IN (SELECT id FROM ranked WHERE total > $3::float8 AND id <> $2)`;

/**
 * Keeps the conversations of each user, and those of the admin (null), within a quota by deleting the ones that
 * were not used for the longest time.
 */
export function createConversationQuota(pool: Pool, quotaBytes: number) {
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
      const [found] = await pool.read<{ total: number }>(SUM, [user]);
      const total = found?.total ?? 0;
      totals.set(user, { total, unseen: 0 });
      if (total <= quotaBytes) return;
      await pool.run(DELETE_OLDEST, [user, conversation, quotaBytes * LEFT_SHARE]);
      totals.delete(user);
    },
  };
}
