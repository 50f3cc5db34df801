import { DAY_MS } from "../../../durations.ts";
import type { UsageEntry } from "../../api/types.ts";
import { formatShort, formatWhole } from "../../format.ts";
import { errorWords } from "../../texts/error-words.ts";
import { countedText, text } from "../../texts/texts.ts";

type TokenPart = "cached_tokens" | "cache_creation_tokens" | "reasoning_tokens";

export type UsageTotals = Pick<
  UsageEntry,
  | ("asks" | "failed" | "prompt_tokens" | "completion_tokens" | "estimated" | "uncounted" | "duration_ms")
  | (TokenPart | "unpriced" | "refused")
  | ("audio_seconds" | "images" | "search_units" | "input_bytes" | "output_bytes")
> & {
  /** Null if no request had a price. */
  cost: number | null;
};

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
  audio_seconds: 0,
  images: 0,
  search_units: 0,
  input_bytes: 0,
  output_bytes: 0,
  cost: null,
  unpriced: 0,
  refused: 0,
};

const COUNTS = (Object.keys(ZERO) as (keyof UsageTotals)[]).filter((name) => name !== "cost");

/** Returns the sum of all entries. */
export function totalOf(entries: readonly UsageTotals[]): UsageTotals {
  const sum = { ...ZERO };
  for (const entry of entries) {
    for (const name of COUNTS) sum[name] += entry[name];
    if (entry.cost !== null) sum.cost = (sum.cost ?? 0) + entry.cost;
  }
  return sum;
}

/** Returns what the tiles say below the input and the output tokens, if there is something to say. */
export function tokenNotes(total: Pick<UsageTotals, TokenPart | "estimated" | "uncounted">): {
  input: string | undefined;
  output: string | undefined;
} {
  const joined = (parts: [number, (value: number) => string][]) =>
    parts.flatMap(([value, text]) => (value > 0 ? [text(value)] : [])).join(", ") || undefined;
  return {
    input: joined([
      [total.cached_tokens, (value) => text("usage.notes.cacheRead", { count: formatShort(value) })],
      [
        total.cache_creation_tokens,
        (value) => text("usage.notes.cacheWritten", { count: formatShort(value) }),
      ],
    ]),
    output: joined([
      [total.reasoning_tokens, (value) => text("usage.notes.reasoning", { count: formatShort(value) })],
      [
        total.estimated,
        (value) => countedText("usage.notes.estimated", value, { count: formatWhole(value) }),
      ],
      [
        total.uncounted,
        (value) => countedText("usage.notes.uncounted", value, { count: formatWhole(value) }),
      ],
    ]),
  };
}

/** Returns why requests were refused, the most frequent reason first: `6 requests per minute, 2 unknown model`. */
export function refusalText(entries: readonly Pick<UsageEntry, "refusals">[]): string {
  const sums = new Map<string, number>();
  for (const { refusals } of entries)
    for (const [reason, count] of Object.entries(refusals)) {
      const words = errorWords(reason);
      sums.set(words, (sums.get(words) ?? 0) + count);
    }
  const sorted = [...sums].toSorted(([, a], [, b]) => b - a);
  return sorted.map(([name, count]) => `${formatShort(count)} ${name}`).join(", ");
}

export interface DailyUsage extends UsageTotals {
  /** A date such as 2026-11-23. */
  day: string;
}

/** An empty day costs almost nothing, but a mistyped year must not exhaust the browser's memory. */
const DAYS_MAX = 3_660;

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
