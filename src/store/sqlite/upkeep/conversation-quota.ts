import { BoundedMap } from "../../../bounded-map.ts";
import type { Connection } from "../database.ts";

/** How many users' totals are remembered. A total that is not is summed up again. */
const TOTALS_MAX = 1_000;
/** After a user has reached the quota, this share is left, so that not every further write must delete. */
const LEFT_SHARE = 0.9;

/** The tables whose rows have a user, a length and the time of their last use, with the column of their key. */
const KEYS = { conversations: "id", response_objects: "key" };

/**
 * Keeps the conversations of each user, and those of the admin (null), within a quota by deleting the ones that
 * were not used for the longest time; or the rows of another such table. It runs inside the transaction of a write.
 */
export function createConversationQuota(
  { raw }: Connection,
  quotaBytes: number,
  table: keyof typeof KEYS = "conversations",
) {
  const key = KEYS[table];
  const sum = raw.prepare<{ total: number }, [string | null]>(
    `SELECT coalesce(sum(length), 0) AS total FROM ${table} WHERE user_id IS ?`,
  );
  const oldest = raw.prepare<{ id: string; length: number }, [string | null, string]>(
    `SELECT ${key} AS id, length FROM ${table} WHERE user_id IS ?1 AND ${key} <> ?2 ORDER BY used_at LIMIT 100`,
  );
  const remove = raw.prepare<never, [string]>(`DELETE FROM ${table} WHERE ${key} = ?`);
  /** Upper bounds, as purged and deleted conversations are not subtracted. */
  const totals = new BoundedMap<string | null, number>(TOTALS_MAX);

  function deleteOldest(user: string | null, kept: string, total: number): number {
    let left = total;
    while (left > quotaBytes * LEFT_SHARE) {
      const found = oldest.all(user, kept);
      if (found.length === 0) return left;
      for (const { id, length } of found) {
        if (left <= quotaBytes * LEFT_SHARE) break;
        remove.run(id);
        left -= length;
      }
    }
    return left;
  }

  return {
    /** Notes that a conversation of the user, which stays, has grown. */
    added(user: string | null, conversation: string, length: number): void {
      if (length === 0 || quotaBytes === Number.POSITIVE_INFINITY) return;
      const known = totals.get(user);
      const bound = known === undefined ? undefined : known + length;
      const total = bound !== undefined && bound <= quotaBytes ? bound : (sum.get(user)?.total ?? 0);
      totals.set(user, total > quotaBytes ? deleteOldest(user, conversation, total) : total);
    },
  };
}
