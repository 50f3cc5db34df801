import { unitsOfNanos } from "../../prices/money.ts";
import type { TrafficStep } from "../../store/store.ts";
import type { TrafficAnswer } from "./schema.ts";
import { Tally } from "./tally.ts";

type Row = Pick<TrafficStep, "at" | "name" | "data">;
type Total = TrafficAnswer["total"];
export type TrafficGroupTotal = NonNullable<TrafficAnswer["groups"]>[number];

const GROUPS_MAX = 100;
/** The most names that are added up. The rest are counted together, under the empty name. */
const NAMES_MAX = 2_000;

/** The rows that are added up before others have their turn. */
const ROWS_AT_ONCE = 500;

async function forEach(rows: readonly Row[], add: (row: Row) => void): Promise<void> {
  for (const [index, row] of rows.entries()) {
    if (index > 0 && index % ROWS_AT_ONCE === 0) await new Promise(setImmediate);
    add(row);
  }
}

/** Resolves with the totals of all rows. */
export async function totalOf(rows: readonly Row[]): Promise<Total> {
  const tally = new Tally();
  await forEach(rows, ({ data }) => tally.addPacked(data));
  return { ...numbersOf(tally), errors: Object.fromEntries(tally.errors), ...refusedOf(tally) };
}

/** Returns no numbers if it is not known what was refused. */
export const UNKNOWN_REFUSED = { refused: null, refusals: {} };

function refusedOf({ refusals }: Tally) {
  return {
    refused: [...refusals.values()].reduce((sum, count) => sum + count, 0),
    refusals: Object.fromEntries(refusals),
  };
}

/** Resolves with the sums of the rows by name. */
export async function talliesByName(rows: readonly Row[]): Promise<Map<string, Tally>> {
  const tallies = new Map<string, Tally>();
  await forEach(rows, ({ name, data }) => {
    // Every step may have other names.
    const key = tallies.has(name) || tallies.size < NAMES_MAX ? name : "";
    const tally = tallies.get(key) ?? new Tally();
    tally.addPacked(data);
    tallies.set(key, tally);
  });
  return tallies;
}

/** Resolves with the totals by name, most requests first. */
export async function groupsOf(rows: readonly Row[]): Promise<TrafficGroupTotal[]> {
  return [...(await talliesByName(rows))]
    .sort(([, a], [, b]) => b.asks - a.asks)
    .slice(0, GROUPS_MAX)
    .map(([name, tally]) => ({
      ...{ name, label: tally.label ?? null },
      ...{ ...numbersOf(tally), errors: Object.fromEntries(tally.errors), ...refusedOf(tally) },
    }));
}

/** Resolves with the numbers of each step of `everyMs` from `from` on. */
export async function stepsOf(
  rows: readonly Row[],
  { from, everyMs, count }: { from: number; everyMs: number; count: number },
): Promise<TrafficAnswer["steps"]> {
  const tallies = Array.from({ length: count }, () => new Tally());
  await forEach(rows, ({ at, data }) => tallies[Math.floor((at - from) / everyMs)]?.addPacked(data));
  const numbers = tallies.map(numbersOf);
  const listOf = <Name extends keyof Numbers>(name: Name) => numbers.map((step) => step[name]);
  const codes = new Set(tallies.flatMap(({ errors }) => [...errors.keys()]));
  const countsOf = (code: string) => tallies.map(({ errors }) => errors.get(code) ?? 0);
  return {
    asks: listOf("asks"),
    failed: listOf("failed"),
    prompt_tokens: listOf("prompt_tokens"),
    completion_tokens: listOf("completion_tokens"),
    cost: listOf("cost"),
    unpriced: listOf("unpriced"),
    queue_ms_p50: listOf("queue_ms_p50"),
    queue_ms_p95: listOf("queue_ms_p95"),
    first_byte_ms_p50: listOf("first_byte_ms_p50"),
    first_byte_ms_p95: listOf("first_byte_ms_p95"),
    duration_ms_p50: listOf("duration_ms_p50"),
    duration_ms_p95: listOf("duration_ms_p95"),
    tokens_per_second: listOf("tokens_per_second"),
    refused: tallies.map((tally) => refusedOf(tally).refused),
    errors: Object.fromEntries([...codes].map((code) => [code, countsOf(code)])),
  };
}

type Numbers = ReturnType<typeof numbersOf>;

function numbersOf(tally: Tally) {
  const { asks, failed, inputTokens, outputTokens, costNanos, queue, firstByte, duration } = tally;
  return {
    asks,
    failed,
    prompt_tokens: inputTokens,
    completion_tokens: outputTokens,
    cost: unitsOfNanos(costNanos),
    unpriced: tally.unpriced,
    queue_ms_p50: queue.quantile(0.5),
    queue_ms_p95: queue.quantile(0.95),
    first_byte_ms_p50: firstByte.quantile(0.5),
    first_byte_ms_p95: firstByte.quantile(0.95),
    duration_ms_p50: duration.quantile(0.5),
    duration_ms_p95: duration.quantile(0.95),
    tokens_per_second: tally.tokensPerSecond,
  };
}
