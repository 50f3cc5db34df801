import type { UsagePeriod } from "../../store.ts";
import type { UserCost } from "../../usage.ts";
import type { Connection } from "../database.ts";

/** The rows of the index added up at a time, so that a month does not block asks. */
const SLICE_ROWS = 20_000;

/** Only rows with this condition are in the index of the costs. */
const HAS_COST = "cost_nanos > 0";
/** Another program may have written anything. */
const IS_RIGHT = `typeof(cost_nanos) = 'integer' AND cost_nanos <= ${Number.MAX_SAFE_INTEGER}`;

/** Returns the functions that add up costs from their index alone. */
export function createCosts({ raw }: Connection) {
  const sliceEnd = raw.prepare<{ at: number }, [number, number]>(
    `SELECT at FROM usage WHERE at >= ?1 AND at < ?2 AND ${HAS_COST} ORDER BY at LIMIT 1 OFFSET ${SLICE_ROWS}`,
  );
  const sum = (users: string) =>
    raw.prepare<UserCost, [number, number, number, string | null]>(
      `SELECT user_id AS user, total(iif(${IS_RIGHT}, cost_nanos, 0)) AS costNanos FROM usage
        WHERE at >= ?1 AND at < ?2 AND at + duration_ms < ?3 AND ${HAS_COST} AND user_id IS NOT NULL AND ${users}
        GROUP BY user_id`,
    );
  const [ofAll, ofSome] = [sum("?4 IS NULL"), sum("user_id IN (SELECT value FROM json_each(?4))")];

  async function slices(
    users: string | null,
    { from, to = Number.MAX_SAFE_INTEGER, endedBefore }: UsagePeriod,
  ) {
    const found: UserCost[] = [];
    for (let start = from; start < to; ) {
      const end = Math.max(sliceEnd.get(start, to)?.at ?? to, start + 1);
      found.push(...(users === null ? ofAll : ofSome).all(start, end, endedBefore, users));
      start = end;
      if (start < to) await new Promise(setImmediate);
    }
    return found;
  }

  return {
    everyUser: (from: number): Promise<UserCost[]> =>
      slices(null, { from, endedBefore: Number.MAX_SAFE_INTEGER }),

    async ofUsers(users: readonly string[], period: UsagePeriod): Promise<Map<string, number>> {
      const costs = new Map<string, number>();
      for (const { user, costNanos } of await slices(JSON.stringify(users), period))
        costs.set(user, (costs.get(user) ?? 0) + costNanos);
      return costs;
    },
  };
}
