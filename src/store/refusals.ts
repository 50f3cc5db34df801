import { HOUR_MS } from "../durations.ts";
import { type Principal, principalName, principalNamed, userIdOf } from "../principal.ts";
import type { RefusalReason, RefusalSum, UsageGroup } from "./store.ts";

/** How often a principal was refused for a reason in the hour that begins `at`, as counted by one run. */
export interface RefusalCount {
  at: number;
  principal: string;
  reason: RefusalReason;
  run: string;
  count: number;
}

/** The most counts that are kept in memory. More go on under another run. */
const COUNTS_MAX = 10_000;

/**
 * Counts refusals by the hour. Each count goes to `put` with the sum so far, so that writing it twice does no harm, and
 * under a `run` that no other process has.
 */
export function createRefusalCounts(put: (count: RefusalCount) => void) {
  let counts = new Map<string, RefusalCount>();
  let run = crypto.randomUUID();
  let hour = 0;

  function renew(at: number): void {
    if (at === hour && counts.size < COUNTS_MAX) return;
    counts = new Map();
    run = crypto.randomUUID();
    hour = at;
  }

  return (principal: Principal, reason: RefusalReason, time: number): void => {
    const at = Math.floor(time / HOUR_MS) * HOUR_MS;
    renew(at);
    const name = principalName(principal);
    const key = refusalKey({ at, principal: name, reason, run });
    const count = { at, principal: name, reason, run, count: (counts.get(key)?.count ?? 0) + 1 };
    counts.set(key, count);
    put(count);
  };
}

export function refusalKey({ at, reason, run, principal }: Omit<RefusalCount, "count">): string {
  return `${at} ${reason} ${run} ${principal}`;
}

/** A row of counts that were added up in the database. */
export type RefusalRow = Pick<RefusalCount, "principal" | "reason" | "count"> & { day: string };

/** Adds up the rows by the requested groups and the reason. */
export function sumRefusals(rows: readonly RefusalRow[], by: readonly UsageGroup[]): RefusalSum[] {
  const sums = new Map<string, RefusalSum>();
  for (const row of rows) {
    const group = Object.fromEntries(by.map((name) => [name, groupValueOf(row, name)]));
    const key = JSON.stringify([group, row.reason]);
    const count = (sums.get(key)?.count ?? 0) + row.count;
    sums.set(key, { group, reason: row.reason, count });
  }
  return [...sums.values()];
}

function groupValueOf({ principal, day }: RefusalRow, group: UsageGroup): string | null {
  if (group === "day") return day;
  return group === "user" ? userIdOf(principalNamed(principal)) : null;
}
