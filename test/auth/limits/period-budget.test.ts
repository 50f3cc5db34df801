import { expect, test } from "bun:test";
import {
  createPeriodBudget,
  DAY,
  MONTH,
  startOfDay,
  startOfMonth,
} from "../../../src/auth/limits/period-budget.ts";
import { HOUR_MS } from "../../../src/durations.ts";

const NOON = Date.UTC(2026, 10, 23, 12);

function createTokenBudget(now: () => number, used?: ReadonlyMap<string, number>) {
  const usedText = (limit: number, count: number) => `The limit is ${limit}, and ${count} were used.`;
  return createPeriodBudget({ period: DAY, now, code: "limit_tokens", usedText, used });
}

test("a month starts at midnight of its first day in UTC, and the next one where it ends", () => {
  const [last, first] = [Date.UTC(2026, 10, 30, 23, 59, 59, 999), Date.UTC(2026, 11, 1)];
  expect(startOfMonth(last)).toBe(Date.UTC(2026, 10, 1));
  expect(startOfMonth(first)).toBe(first);
  const lengths = Array.from({ length: 48 }, (_, month) => {
    const start = Date.UTC(2026, month, 1);
    return (MONTH.endOf(start) - start) / (24 * HOUR_MS);
  });
  const [year, leapYear] = [28, 29].map((february) => [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]);
  expect(lengths).toEqual([year, year, leapYear, year].flatMap((months) => months ?? []));
});

test("a budget of a month lasts until the last millisecond of the month, and starts again with the next one", () => {
  let now = Date.UTC(2028, 1, 29, 23, 59, 59, 998);
  const usedText = (limit: number, used: number, resetAt: number) =>
    `${used} of ${limit} until ${new Date(resetAt).toISOString()}.`;
  const budget = createPeriodBudget({ period: MONTH, now: () => now, code: "limit_budget_month", usedText });
  budget.add("ann", 10, Date.UTC(2028, 1, 1));
  budget.add("ann", 99, Date.UTC(2028, 1, 1) - 1);
  expect(() => budget.checkUsed("ann", 10)).toThrow(
    expect.objectContaining({
      code: "limit_budget_month",
      retryAfterMs: 2,
      hint: "10 of 10 until 2028-03-01T00:00:00.000Z. Please try again in 0.002s.",
    }),
  );
  now += 1;
  expect(budget.used("ann")).toBe(10);
  now += 1;
  expect([budget.used("ann"), budget.resetMs()]).toEqual([0, 31 * 24 * HOUR_MS]);
  budget.checkUsed("ann", 1);
  // What ended in the new month, but came in the old one, belongs to the old one.
  budget.add("ann", 5, now - 1);
  expect(budget.used("ann")).toBe(0);
});

test("a day starts at midnight in UTC, before 1970 too", () => {
  expect(startOfDay(NOON)).toBe(NOON - 12 * HOUR_MS);
  expect(startOfDay(NOON - 12 * HOUR_MS)).toBe(NOON - 12 * HOUR_MS);
  expect(startOfDay(-1)).toBe(-24 * HOUR_MS);
});

test("used and reserved tokens are taken, and reserved ones are given back", () => {
  const budget = createTokenBudget(() => NOON, new Map([["ann", 5]]));
  const giveBack = [budget.reserve("ann", 10), budget.reserve("ann", 100), budget.reserve("bob", 1000)];
  budget.add("ann", 7, NOON);
  expect([budget.taken("ann"), budget.taken("bob"), budget.taken("eve")]).toEqual([122, 1000, 0]);
  giveBack[0]?.();
  expect(budget.taken("ann")).toBe(112);
  giveBack[1]?.();
  giveBack[2]?.();
  expect([budget.taken("ann"), budget.taken("bob")]).toEqual([12, 0]);
});

test("a reservation of an earlier day neither counts on the next day, nor is given back there", () => {
  let now = NOON;
  const budget = createTokenBudget(() => now);
  const giveBack = budget.reserve("ann", 10);
  now += 24 * HOUR_MS;
  expect(budget.taken("ann")).toBe(0);
  budget.reserve("ann", 4);
  giveBack();
  expect(budget.taken("ann")).toBe(4);
  // A clock that was set back begins again too.
  now = NOON;
  expect(budget.taken("ann")).toBe(0);
  giveBack();
  expect(budget.taken("ann")).toBe(0);
});

test("only a limit that is used up waits for the next day", () => {
  const budget = createTokenBudget(() => NOON, new Map([["ann", 60]]));
  budget.checkUsed("ann", 61);
  budget.checkReserved("ann", 61);
  budget.reserve("ann", 1);
  budget.checkUsed("ann", 61);
  expect(() => budget.checkReserved("ann", 61)).toThrow(
    expect.objectContaining({
      code: "limit_tokens",
      retryAfterMs: 1000,
      hint: "The limit is 61, and 60 were used. Running requests have reserved the rest. Please try again in 1s.",
    }),
  );
  expect(() => budget.checkUsed("ann", 60)).toThrow(
    expect.objectContaining({
      retryAfterMs: 12 * HOUR_MS,
      hint: "The limit is 60, and 60 were used. Please try again in 12h0m0s.",
    }),
  );
});
