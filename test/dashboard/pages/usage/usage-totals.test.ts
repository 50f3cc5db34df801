import { expect, test } from "bun:test";
import type { UsageEntry } from "../../../../src/dashboard/api/types.ts";
import {
  fillDays,
  lastDays,
  tokenNotes,
  totalOf,
} from "../../../../src/dashboard/pages/usage/usage-totals.ts";

const entry = (day: string, asks: number): UsageEntry => ({
  day,
  asks,
  failed: 1,
  prompt_tokens: 10 * asks,
  completion_tokens: asks,
  cached_tokens: 4 * asks,
  cache_creation_tokens: 3 * asks,
  reasoning_tokens: 2 * asks,
  estimated: asks - 1,
  uncounted: 0,
  duration_ms: 100 * asks,
  audio_seconds: asks / 2,
  images: asks,
  search_units: 2 * asks,
  input_bytes: 1_000 * asks,
  output_bytes: 10 * asks,
  cost: asks / 4,
  unpriced: asks - 1,
  refused: asks,
  refusals: { limit_requests: asks },
});

test("the total of usage entries is the sum of each of their numbers", () => {
  expect(totalOf([])).toMatchObject({ asks: 0, duration_ms: 0 });
  expect(totalOf([entry("2026-11-22", 2), entry("2026-11-23", 3)])).toEqual({
    asks: 5,
    failed: 2,
    prompt_tokens: 50,
    completion_tokens: 5,
    cached_tokens: 20,
    cache_creation_tokens: 15,
    reasoning_tokens: 10,
    estimated: 3,
    uncounted: 0,
    duration_ms: 500,
    audio_seconds: 2.5,
    images: 5,
    search_units: 10,
    input_bytes: 5_000,
    output_bytes: 50,
    cost: 1.25,
    unpriced: 3,
    refused: 5,
  });
});

test("a total has no cost if no entry has one, and else that of the others", () => {
  const unpriced = { ...entry("2026-11-22", 2), cost: null };
  expect(totalOf([unpriced, unpriced]).cost).toBeNull();
  expect(totalOf([unpriced, entry("2026-11-23", 1), unpriced]).cost).toBe(0.25);
});

test("the tiles of usage name the parts of the tokens that are not zero", () => {
  const none = {
    cached_tokens: 0,
    cache_creation_tokens: 0,
    reasoning_tokens: 0,
    estimated: 0,
    uncounted: 0,
  };
  expect(tokenNotes(none)).toEqual({ input: undefined, output: undefined });
  expect(tokenNotes({ ...none, cache_creation_tokens: 7, uncounted: 1 })).toEqual({
    input: "7 written to a cache",
    output: "1 request without token counts",
  });
  expect(
    tokenNotes({
      ...{ cached_tokens: 64, cache_creation_tokens: 7, reasoning_tokens: 5 },
      ...{ estimated: 3, uncounted: 2 },
    }),
  ).toEqual({
    input: "64 read from a cache, 7 written to a cache",
    output: "5 for reasoning, 3 requests estimated, 2 requests without token counts",
  });
});

test("a period contains every day, including days without requests, across a month's end and a leap day", () => {
  const days = fillDays("2028-02-28T00:00:00.000Z", "2028-03-02T00:00:00.000Z", [entry("2028-02-29", 4)]);
  expect(days.map(({ day, asks }) => [day, asks])).toEqual([
    ["2028-02-28", 0],
    ["2028-02-29", 4],
    ["2028-03-01", 0],
  ]);
});

test("a period contains the days that it covers only in part", () => {
  const days = fillDays("2026-11-21T13:00:00.000Z", "2026-11-23T01:00:00.000Z", []);
  expect(days.map(({ day }) => day)).toEqual(["2026-11-21", "2026-11-22", "2026-11-23"]);
});

test("a period is cut to its newest ten years, and one that ends before it begins is empty", () => {
  const days = fillDays("0202-01-01T00:00:00.000Z", "2026-11-24T00:00:00.000Z", []);
  expect(days).toHaveLength(3_660);
  expect(days.at(-1)?.day).toBe("2026-11-23");
  expect(fillDays("2026-11-24T00:00:00.000Z", "2026-11-23T00:00:00.000Z", [])).toEqual([]);
});

test("the last days include today", () => {
  const now = Date.parse("2026-03-01T00:30:00Z");
  expect(lastDays(1, now)).toEqual({ from: "2026-03-01", to: "2026-03-01" });
  expect(lastDays(7, now)).toEqual({ from: "2026-02-23", to: "2026-03-01" });
});
