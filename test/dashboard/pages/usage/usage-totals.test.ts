import { describe, expect, test } from "bun:test";
import type { UsageEntry } from "../../../../src/dashboard/api/types.ts";
import { readRateLimit } from "../../../../src/dashboard/pages/usage/rate-limit.ts";
import { fillDays, lastDays, totalOf } from "../../../../src/dashboard/pages/usage/usage-totals.ts";

const entry = (day: string, asks: number): UsageEntry => ({
  day,
  asks,
  failed: 1,
  prompt_tokens: 10 * asks,
  completion_tokens: asks,
  uncounted: 0,
  duration_ms: 100 * asks,
});

describe("usage", () => {
  test("is summed up figure by figure", () => {
    expect(totalOf([])).toMatchObject({ asks: 0, duration_ms: 0 });
    expect(totalOf([entry("2026-11-22", 2), entry("2026-11-23", 3)])).toEqual({
      asks: 5,
      failed: 2,
      prompt_tokens: 50,
      completion_tokens: 5,
      uncounted: 0,
      duration_ms: 500,
    });
  });

  test("has every day of the period, those without an ask too, over the end of a month and a leap day", () => {
    const days = fillDays("2028-02-28T00:00:00.000Z", "2028-03-02T00:00:00.000Z", [entry("2028-02-29", 4)]);
    expect(days.map(({ day, asks }) => [day, asks])).toEqual([
      ["2028-02-28", 0],
      ["2028-02-29", 4],
      ["2028-03-01", 0],
    ]);
  });

  test("has the days of which the period has a part only", () => {
    const days = fillDays("2026-11-21T13:00:00.000Z", "2026-11-23T01:00:00.000Z", []);
    expect(days.map(({ day }) => day)).toEqual(["2026-11-21", "2026-11-22", "2026-11-23"]);
  });

  test("of a mistyped year is the newest ten years, and of an end before the beginning nothing", () => {
    const days = fillDays("0202-01-01T00:00:00.000Z", "2026-11-24T00:00:00.000Z", []);
    expect(days).toHaveLength(3_660);
    expect(days.at(-1)?.day).toBe("2026-11-23");
    expect(fillDays("2026-11-24T00:00:00.000Z", "2026-11-23T00:00:00.000Z", [])).toEqual([]);
  });

  test("of the last days is that of today too", () => {
    const now = Date.parse("2026-03-01T00:30:00Z");
    expect(lastDays(1, now)).toEqual({ from: "2026-03-01", to: "2026-03-01" });
    expect(lastDays(7, now)).toEqual({ from: "2026-02-23", to: "2026-03-01" });
  });
});

describe("how a user stands", () => {
  const headersOf = (reset: string) =>
    new Headers({
      "x-ratelimit-limit-tokens": "50000",
      "x-ratelimit-remaining-tokens": "0",
      "x-ratelimit-reset-tokens": reset,
    });

  test.each([
    ["6h12m4.5s", "6 h 12 min"],
    ["1m0s", "1 min"],
    ["59.2s", "60 s"],
    ["120ms", "120 ms"],
    ["0s", "0 s"],
    ["", "0 s"],
  ])("with a reset of %p is told as %p", (reset, told) => {
    expect(readRateLimit(headersOf(reset), "tokens")).toEqual({ limit: 50_000, remaining: 0, reset: told });
  });

  test("with a limit that is not there is nothing", () => {
    expect(readRateLimit(headersOf("1s"), "requests")).toBeUndefined();
  });
});
