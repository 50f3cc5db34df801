import { startOfDay, startOfMonth } from "../auth/limits/period-budget.ts";
import { causeOf, type Log } from "../log/log.ts";
import type { Store, UserUse } from "../store/store.ts";

/**
 * Returns what each user has used today and in this month before this start. Recorded usage never prevents a start:
 * what cannot be read is not counted, and the log has a warning.
 */
export async function readUsedBefore(
  { usage }: Pick<Store, "usage">,
  log: Log,
  now: number,
): Promise<ReadonlyMap<string, UserUse>> {
  const from = startOfDay(now);
  try {
    const rows = await usage.implausibleSince(from);
    if (rows > 0) log.warn("usage_implausible", { rows });
    return await usage.usedSince({ day: from, month: startOfMonth(now) });
  } catch (error) {
    log.warn("usage_unreadable", { cause: causeOf(error) });
    return new Map();
  }
}
