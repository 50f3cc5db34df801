import { expect, test } from "bun:test";
import { createTokenBudget, startOfDay } from "../../src/auth/token-budget.ts";

const HOUR_MS = 3_600_000;
const NOON = Date.UTC(2026, 10, 23, 12);

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
