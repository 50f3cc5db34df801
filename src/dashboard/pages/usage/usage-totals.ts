import type { UsageEntry } from "../../api/types.ts";
import { formatCount, formatShort } from "../../format.ts";

export type UsageTotals = Pick<
  UsageEntry,
  | ("asks" | "failed" | "prompt_tokens" | "completion_tokens" | "estimated" | "uncounted" | "duration_ms")
  | ("cached_tokens" | "cache_creation_tokens" | "reasoning_tokens")
>;

const ZERO: UsageTotals = {
  asks: 0,
  failed: 0,
  prompt_tokens: 0,
  completion_tokens: 0,
  cached_tokens: 0,
  cache_creation_tokens: 0,
  reasoning_tokens: 0,
  estimated: 0,
  uncounted: 0,
  duration_ms: 0,
};

/** Returns the sum of all entries. */
export function totalOf(entries: readonly UsageTotals[]): UsageTotals {
  const sum = { ...ZERO };
  for (const entry of entries) {
    for (const name of Object.keys(ZERO) as (keyof UsageTotals)[]) sum[name] += entry[name];
  }
  return sum;
}

/** Returns what the tiles say below the input and the output tokens, if there is something to say. */
export function tokenNotes(
  total: Omit<UsageTotals, "asks" | "failed" | "prompt_tokens" | "completion_tokens" | "duration_ms">,
): { input: string | undefined; output: string | undefined } {
  const joined = (parts: [number, (value: number) => string][]) =>
    parts.flatMap(([value, text]) => (value > 0 ? [text(value)] : [])).join(", ") || undefined;
  return {
    input: joined([
      [total.cached_tokens, (value) => `${formatShort(value)} read from a cache`],
      [total.cache_creation_tokens, (value) => `${formatShort(value)} written to a cache`],
    ]),
    output: joined([
      [total.reasoning_tokens, (value) => `${formatShort(value)} for reasoning`],
      [total.estimated, (value) => `${formatCount(value, "request")} estimated`],
      [total.uncounted, (value) => `${formatCount(value, "request")} without token counts`],
    ]),
  };
}

export interface DailyUsage extends UsageTotals {
  /** A date such as 2026-11-23. */
  day: string;
}

/** An empty day costs almost nothing, but a mistyped year must not exhaust the browser's memory. */
const DAYS_MAX = 3_660;

const DAY_MS = 86_400_000;

/**
 * Returns every UTC day from `from` up to but not including `to`, both in RFC 3339, oldest first. Days
 * without an entry are included, because a chart shows time. If there are more than ten years, returns the
 * newest ten.
 */
export function fillDays(from: string, to: string, entries: readonly UsageEntry[]): DailyUsage[] {
  const known = new Map(entries.map((entry) => [entry.day, entry]));
  const end = Math.ceil(Date.parse(to) / DAY_MS);
  const begin = Math.max(Math.floor(Date.parse(from) / DAY_MS), end - DAYS_MAX);
  const days: DailyUsage[] = [];
  for (let day = begin; day < end; day++) {
    const name = new Date(day * DAY_MS).toISOString().slice(0, 10);
    days.push({ ...ZERO, ...known.get(name), day: name });
  }
  return days;
}

/** Returns the dates of the last `days` UTC days, including today. */
export function lastDays(days: number, now: number): { from: string; to: string } {
  const dateOf = (time: number) => new Date(time).toISOString().slice(0, 10);
  return { from: dateOf(now - (days - 1) * DAY_MS), to: dateOf(now) };
}
