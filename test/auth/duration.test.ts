import { expect, test } from "bun:test";
import { formatDuration } from "../../src/auth/duration.ts";

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
])("%d ms is written as OpenAI writes it: %s", (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});
