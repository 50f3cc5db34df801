import { expect, test } from "bun:test";
import {
  append,
  foldSteps,
  fromOverview,
  type History,
  maxOf,
  mean,
  meanOf,
  median,
  stepStarts,
  sum,
  takeFrame,
} from "../../../src/dashboard/state/history.ts";
import { type LiveSample, Overview, SAMPLE_FIELDS } from "../../../src/http/live/schema.ts";

const START = Date.parse("2026-11-23T12:00:00.000Z");

function timeOf(second: number): string {
  return new Date(START + second * 1000).toISOString();
}

/** Returns the sample of a second. Its `asks` are the second's number, to tell samples apart. */
function sampleOf(second: number): LiveSample {
  const values = Object.fromEntries(SAMPLE_FIELDS.map((name) => [name, 0])) as Omit<LiveSample, "at">;
  return { ...values, asks: second, first_byte_ms: null, at: timeOf(second) };
}

const PROBLEM = {
  ...{ id: "disk_low", code: "disk_low" as const, severity: "warning" as const, since: timeOf(0) },
  ...{ message: "The disk is full.", hint: "Free some space.", details: { free_bytes: 7 } },
};

const POOL = {
  now: timeOf(0),
  ready: { status: "ready" as const, reasons: [] },
  agents: { connected: 1, accepting: 1 },
  slots: { total: 4, in_use: 1 },
  queue: { length: 0, oldest_wait_ms: null },
};

function askOf(id: string): Overview["asks"][number] {
  return {
    request_id: id,
    at: timeOf(0),
    user: null,
    agent: null,
    model: null,
    surface: "ask",
    outcome: "ok",
    upstream_status: null,
    queue_ms: 0,
    first_byte_ms: null,
    duration_ms: 1,
    prompt_tokens: null,
    completion_tokens: null,
    tokens_estimated: false,
  };
}

function overviewOf(seconds: number): Overview {
  const series = Object.fromEntries(
    SAMPLE_FIELDS.map((name) => [
      name,
      Array.from({ length: seconds }, (_, second) => sampleOf(second)[name]),
    ]),
  );
  return Overview.parse({
    version: "1.0.0",
    started_at: timeOf(-10),
    ...POOL,
    models: [{ id: "llama3.3", agents: 1 }],
    problems: [PROBLEM],
    samples: { from: timeOf(0), every_ms: 1000, ...series },
    asks: [askOf("a")],
  });
}

const emptyHistory = (): History => fromOverview(overviewOf(0)).history;
const at = (second: number) => START / 1000 + second;

test("the first frame contains the history, and later frames extend it", () => {
  const first = takeFrame(undefined, { type: "overview", ...overviewOf(3) });
  expect(first?.history.xs).toEqual([at(0), at(1), at(2)]);
  const asks = [askOf("c"), askOf("b")];
  const next = takeFrame(first, {
    type: "second",
    ...POOL,
    slots: { total: 4, in_use: 3 },
    sample: sampleOf(3),
    asks,
  });
  expect(next?.history.series.asks).toEqual([0, 1, 2, 3]);
  expect(next?.slots.in_use).toBe(3);
  expect(next?.asks.map(({ request_id }) => request_id)).toEqual(["c", "b", "a"]);
  // The server sends the models only when they change.
  expect(next?.models).toEqual([{ id: "llama3.3", agents: 1 }]);
  expect(next?.problems).toEqual([PROBLEM]);
  const last = { type: "second" as const, ...POOL, sample: sampleOf(4), asks: [], problems: [] };
  expect(takeFrame(next, last)?.problems).toEqual([]);
  expect(next?.version).toBe("1.0.0");
  expect(first?.history.series.asks, "the previous overview is not modified").toEqual([0, 1, 2]);
});

test("a second that arrives before the first overview is dropped", () => {
  expect(takeFrame(undefined, { type: "second", ...POOL, sample: sampleOf(3), asks: [] })).toBeUndefined();
});

test("skipped seconds are filled with nulls in all series", () => {
  const { xs, series } = append(append(emptyHistory(), sampleOf(5)), sampleOf(8));
  expect(xs).toEqual([at(5), at(6), at(7), at(8)]);
  expect(series.asks).toEqual([5, null, null, 8]);
  for (const name of SAMPLE_FIELDS) expect(series[name], name).toHaveLength(4);
});

test("a second that is known already, or older than the last, changes nothing", () => {
  const history = append(emptyHistory(), sampleOf(5));
  expect(append(history, sampleOf(5))).toBe(history);
  expect(append(history, sampleOf(4))).toBe(history);
});

test("no more than 15 minutes are kept, even after a long gap", () => {
  let history = emptyHistory();
  for (let second = 0; second < 905; second++) history = append(history, sampleOf(second));
  expect(history.xs).toHaveLength(900);
  expect(history.xs[0]).toBe(at(5));
  expect(history.series.asks[0]).toBe(5);
  history = append(history, sampleOf(1_000_000));
  expect(history.xs).toHaveLength(900);
  expect(history.xs.at(-1)).toBe(at(1_000_000));
  expect(history.series.asks.slice(-2)).toEqual([null, 1_000_000]);
});

test("no more than 100 requests are kept, newest first", () => {
  const first = takeFrame(undefined, { type: "overview", ...overviewOf(1) });
  const asks = Array.from({ length: 100 }, (_, index) => askOf(`n${index}`));
  const next = takeFrame(first, { type: "second", ...POOL, sample: sampleOf(1), asks });
  expect(next?.asks).toEqual(asks);
});

test("sum, mean and median cover the newest seconds, and skip unknown ones", () => {
  const series = [100, null, 1, 3, null, 8];
  expect(sum(series)).toBe(112);
  expect(sum(series, 4)).toBe(12);
  expect(mean(series, 4)).toBe(4);
  expect(median(series, 5)).toBe(3);
  expect(mean([null, null], 2)).toBeUndefined();
  expect(median([], 2)).toBeUndefined();
});

test("steps begin at multiples of their length, whenever the history begins", () => {
  const xs = [13, 14, 15, 16, 17, 18, 19, 20];
  expect(stepStarts(xs, 5)).toEqual([10, 15, 20]);
  const series = [1, 3, 0, 10, null, 2, null, null];
  expect(foldSteps(xs, series, 5, meanOf)).toEqual([2, 4, null]);
  expect(foldSteps(xs, series, 5, maxOf)).toEqual([3, 10, null]);
});
