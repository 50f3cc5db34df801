import { expect, test } from "bun:test";
import { readRateLimit } from "../../../../src/dashboard/pages/usage/rate-limit.ts";

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
])("a reset header of %p is shown as %p", (reset, shown) => {
  expect(readRateLimit(headersOf(reset), "tokens")).toEqual({ limit: 50_000, remaining: 0, reset: shown });
});

test("a limit without headers is undefined", () => {
  expect(readRateLimit(headersOf("1s"), "requests")).toBeUndefined();
});
