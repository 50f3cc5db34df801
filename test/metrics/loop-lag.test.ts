import { expect, test } from "bun:test";
import { watchLoopLag } from "../../src/metrics/loop-lag.ts";
import { createRegistry } from "../../src/metrics/registry.ts";
import { readExposition, sampleValue } from "../support/exposition.ts";

const NAME = "chatgpt_api_event_loop_lag_seconds";

test("a late timer counts as lag, an early one does not, and stop ends the timer", () => {
  const registry = createRegistry();
  let [at, stopped] = [1000, 0];
  let tick = () => {};
  const stop = watchLoopLag({
    registry,
    now: () => at,
    every: (periodMs, run) => {
      expect(periodMs).toBe(100);
      tick = run;
      return () => stopped++;
    },
  });
  for (const laterMs of [100, 450, 90]) {
    at += laterMs;
    tick();
  }
  const families = readExposition(registry.text());
  expect(sampleValue(families, `${NAME}_count`)).toBe(3);
  expect(sampleValue(families, `${NAME}_sum`)).toBeCloseTo(0.35);
  expect(sampleValue(families, `${NAME}_bucket`, { le: "0.2" })).toBe(2);
  stop();
  expect(stopped).toBe(1);
});
