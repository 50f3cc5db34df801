import type { UsageEntry } from "../../api/types.ts";

export type UsageTotals = Pick<
  UsageEntry,
  "asks" | "failed" | "prompt_tokens" | "completion_tokens" | "uncounted" | "duration_ms"
>;

const NOTHING: UsageTotals = {
  asks: 0,
  failed: 0,
  prompt_tokens: 0,
  completion_tokens: 0,
  uncounted: 0,
  duration_ms: 0,
};

export function totalOf(entries: readonly UsageTotals[]): UsageTotals {
  const sum = { ...NOTHING };
  for (const entry of entries) {
    for (const name of Object.keys(NOTHING) as (keyof UsageTotals)[]) sum[name] += entry[name];
  }
  return sum;
}

export interface DailyUsage extends UsageTotals {
  /** As 2026-11-23. */
  day: string;
}

/** A day without asks costs next to nothing, but a mistyped year should not cost a browser its memory. */
const DAYS_MAX = 3_660;

const DAY_MS = 86_400_000;

/**
 * Every day of UTC from `from` until before `to`, both in RFC 3339, the oldest first: also those that have no entry, as
 * a chart shows time. Of more than ten years the newest ten.
 */
export function fillDays(from: string, to: string, entries: readonly UsageEntry[]): DailyUsage[] {
  const known = new Map(entries.map((entry) => [entry.day, entry]));
  const end = Math.ceil(Date.parse(to) / DAY_MS);
  const begin = Math.max(Math.floor(Date.parse(from) / DAY_MS), end - DAYS_MAX);
  const days: DailyUsage[] = [];
  for (let day = begin; day < end; day++) {
    const name = new Date(day * DAY_MS).toISOString().slice(0, 10);
    days.push({ ...NOTHING, ...known.get(name), day: name });
  }
  return days;
}

/** The dates of the last `days` days of UTC, today among them. */
export function lastDays(days: number, now: number): { from: string; to: string } {
  const dateOf = (time: number) => new Date(time).toISOString().slice(0, 10);
  return { from: dateOf(now - (days - 1) * DAY_MS), to: dateOf(now) };
}
