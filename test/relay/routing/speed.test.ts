import { expect, test } from "bun:test";
import { Speed, typicalMs } from "../../../src/relay/routing/speed.ts";

const measured = (firstByteMs: number, wholeMs: number, outputTokens: number | undefined) => ({
  firstByteMs,
  wholeMs,
  outputTokens,
});

test("answers of different lengths at the same speed count alike, streamed or whole", () => {
  expect(typicalMs(measured(200, 1_200, 100))).toBe(1_200);
  expect(typicalMs(measured(200, 5_200, 500))).toBe(1_200);
  expect(typicalMs(measured(5_000, 5_000, 500))).toBe(1_000);
  expect(typicalMs(measured(40, 40, undefined))).toBe(40);
  expect(typicalMs(measured(0, 0, 0))).toBe(1);
});

test("one very long prompt does not make an agent slow, but several slow answers do", () => {
  const speed = new Speed();
  expect([speed.expectedMs, speed.isCertain]).toEqual([undefined, false]);
  for (let n = 0; n < 5; n++) speed.note(measured(0, 1_000, 100), n);
  expect([Math.round(speed.expectedMs ?? 0), speed.isCertain]).toEqual([1_000, true]);
  speed.note(measured(29_000, 30_000, 100), 5);
  expect(speed.expectedMs).toBeLessThan(2_000);
  for (let n = 0; n < 8; n++) speed.note(measured(0, 10_000, 100), 6);
  expect(speed.expectedMs).toBeGreaterThan(4_000);
});

test("the answer of a trial counts alone, and the pause until the next is longer unless it was faster", () => {
  const speed = new Speed();
  for (let n = 0; n < 9; n++) speed.note(measured(0, 10_000, 100), 0);
  expect(speed.trialAt).toBe(10_000);
  speed.beginTrial(10_000);
  expect(speed.trialAt).toBe(30_000);
  speed.note(measured(0, 9_000, 100), 20_000);
  expect([Math.round(speed.expectedMs ?? 0), speed.trialAt]).toEqual([9_000, 40_000]);
  speed.beginTrial(40_000);
  speed.note(measured(0, 1_000, 100), 41_000);
  expect([Math.round(speed.expectedMs ?? 0), speed.trialAt]).toEqual([1_000, 51_000]);
});
