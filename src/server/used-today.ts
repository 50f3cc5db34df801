import { startOfDay } from "../auth/token-budget.ts";
import { causeOf, type Log } from "../log/log.ts";
import type { Store } from "../store/store.ts";

/**
 * Returns the tokens that each user has used today before this start. Recorded usage never prevents a start:
 * what cannot be read is not counted, and the log has a warning.
 */
export async function readUsedToday(
  { usage }: Pick<Store, "usage">,
  log: Log,
  now: number,
): Promise<ReadonlyMap<string, number>> {
  const from = startOfDay(now);
  try {
    const rows = await usage.implausibleSince(from);
    if (rows > 0) log.warn("usage_implausible", { rows });
    return await usage.tokensSince(from);
  } catch (error) {
    log.warn("usage_unreadable", { cause: causeOf(error) });
    return new Map();
  }
}
