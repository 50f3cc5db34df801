import { userIdOf } from "../../principal.ts";
import type { UsageGroup, UsageStore, UsageSum } from "../store.ts";
import type { Connection } from "./database.ts";

type Sums = Omit<UsageSum, "group">;
/** The sums of one slice, with the value of each group under its name. */
type Row = Sums & Partial<Record<UsageGroup, string | null>>;

/** The rows summed at a time, so that a long period does not block asks. */
const SLICE_ROWS = 5_000;

const GROUP_SQL: Record<UsageGroup, string> = {
  user: "user_id",
  agent: "agent",
  model: "model",
  day: "strftime('%Y-%m-%d', at / 1000, 'unixepoch')",
};

const SUMS_SQL = `
  count(*) AS asks,
  sum(outcome <> 'ok') AS failed,
  coalesce(sum(prompt_tokens), 0) AS promptTokens,
  coalesce(sum(completion_tokens), 0) AS completionTokens,
  sum(agent IS NOT NULL AND prompt_tokens IS NULL AND completion_tokens IS NULL) AS uncounted,
  sum(duration_ms) AS durationMs`;

const NO_ASKS: Sums = {
  asks: 0,
  failed: 0,
  promptTokens: 0,
  completionTokens: 0,
  uncounted: 0,
  durationMs: 0,
};
const SUM_NAMES = Object.keys(NO_ASKS) as (keyof Sums)[];

/** Returns the function that sums usage: see `UsageStore`. */
export function createSums({ raw }: Connection): UsageStore["sum"] {
  const prepared = new Map<string, ReturnType<typeof prepareSlice>>();
  /** Finds the time at which the slice that starts at `from` ends. */
  const sliceEnd = raw.prepare<{ at: number }, [number, number]>(
    `SELECT at FROM usage WHERE at >= ?1 AND at < ?2 ORDER BY at LIMIT 1 OFFSET ${SLICE_ROWS}`,
  );

  function prepareSlice(by: readonly UsageGroup[], hasPrincipal: boolean) {
    const groups = by.map((group) => `${GROUP_SQL[group]} AS "${group}",`).join(" ");
    const grouping = by.length > 0 ? by.map((_, index) => index + 1).join(", ") : "NULL";
    const user = hasPrincipal ? "AND user_id IS ?3" : "";
    return raw.prepare<Row, [number, number, ...(string | null)[]]>(
      `SELECT ${groups} ${SUMS_SQL} FROM usage WHERE at >= ?1 AND at < ?2 ${user} GROUP BY ${grouping}`,
    );
  }

  function sliceOf(by: readonly UsageGroup[], hasPrincipal: boolean) {
    const key = `${by} ${hasPrincipal}`;
    const known = prepared.get(key) ?? prepareSlice(by, hasPrincipal);
    prepared.set(key, known);
    return known;
  }

  return async ({ from, to, by, principal, limit }) => {
    const groups = [...new Set(by)];
    const slice = sliceOf(groups, principal !== undefined);
    const found = new Map<string, UsageSum>();
    for (let start = from; start < to; ) {
      const end = Math.max(sliceEnd.get(start, to)?.at ?? to, start + 1);
      const rows = principal ? slice.all(start, end, userIdOf(principal)) : slice.all(start, end);
      for (const row of rows) addTo(found, groups, row);
      start = end;
      if (start < to) await new Promise(setImmediate);
    }
    return [...found.values()].sort(inOrder).slice(0, limit);
  };
}

function addTo(found: Map<string, UsageSum>, by: readonly UsageGroup[], row: Row): void {
  const group = Object.fromEntries(by.map((name) => [name, row[name] ?? null]));
  const key = JSON.stringify(group);
  const sum = found.get(key) ?? { group, ...NO_ASKS };
  for (const name of SUM_NAMES) sum[name] += row[name];
  found.set(key, sum);
}

function inOrder(a: UsageSum, b: UsageSum): number {
  return (a.group.day ?? "").localeCompare(b.group.day ?? "") || b.asks - a.asks;
}
