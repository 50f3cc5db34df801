import { expect, test } from "bun:test";
import { formatDuration, limitError } from "../../../src/auth/limits/limit-error.ts";

test.each([
  [0.2, 1, "0.001s"],
  [1_500, 1_500, "1.5s"],
  [60_000, 60_000, "60s"],
  [60_001, 60_001, "1m0.001s"],
])("a wait of %p ms is %p ms in the headers and %s in the text", (waitMs, retryAfterMs, text) => {
  const error = limitError("limit_tokens", "The limit is 7.", waitMs);
  expect(error).toMatchObject({ code: "limit_tokens", retryAfterMs });
  expect(error.hint).toBe(`The limit is 7. Please try again in ${text}.`);
});

test.each([
  [0, "0s"],
  [-5, "0s"],
  [0.2, "1ms"],
  [17, "17ms"],
  [999.5, "1s"],
  [8640, "8.64s"],
  [60_000, "1m0s"],
  [360_000, "6m0s"],
  [86_400_000, "24h0m0s"],
  [3_600_001, "1h0m0.001s"],
])("%d ms is written as %s, in the notation of OpenAI", (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});
