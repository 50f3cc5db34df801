import { expect, test } from "bun:test";
import { ratioOf, Speed, typicalParts } from "../../../src/relay/routing/speed.ts";

const measured = (firstByteMs: number, wholeMs: number, outputTokens?: number) => ({
  firstByteMs,
  wholeMs,
  outputTokens,
});

test("answers of different lengths at the same speed count alike", () => {
  const parts = { firstByteMs: 200, tokensMs: 1_000 };
  expect(typicalParts(measured(200, 1_200, 100))).toEqual(parts);
  expect(typicalParts(measured(200, 5_200, 500))).toEqual(parts);
  expect(typicalParts(measured(200, 210, 1))).toEqual(parts);
  expect(typicalParts(measured(5_000, 5_000, 500))).toEqual({ wholeMs: 1_000 });
  expect(typicalParts(measured(40, 40))).toEqual({ wholeMs: 50 });
  expect(typicalParts(measured(1, 2, 100))).toEqual({ firstByteMs: 50, tokensMs: 50 });
});

test("one very long prompt does not make an agent slow, but several slow answers do", () => {
  const speed = new Speed();
  for (let n = 0; n < 4; n++) speed.note(measured(0, 1_000, 100), n);
  expect(speed.parts).toBeUndefined();
  for (let n = 0; n < 4; n++) speed.note(measured(1_000, 2_000, 100), n);
  expect(ratioOf(speed.parts, { firstByteMs: 1_000, tokensMs: 1_000 })).toBeLessThan(1.1);
  speed.note(measured(30_000, 31_000, 100), 5);
  expect(ratioOf(speed.parts, { firstByteMs: 1_000, tokensMs: 1_000 })).toBeLessThan(1.1);
  for (let n = 0; n < 15; n++) speed.note(measured(10_000, 20_000, 100), 6);
  expect(ratioOf(speed.parts, { firstByteMs: 1_000, tokensMs: 1_000 })).toBeGreaterThan(4);
});

test("an agent is as slow as in the part in which it is least behind, and not slow if nothing can be compared", () => {
  expect(ratioOf({ firstByteMs: 900, tokensMs: 200 }, { firstByteMs: 100, tokensMs: 100 })).toBe(2);
  expect(ratioOf({ wholeMs: 900 }, { wholeMs: 100, tokensMs: 1 })).toBe(9);
  expect(ratioOf({ wholeMs: 900 }, { tokensMs: 1 })).toBe(1);
  expect(ratioOf(undefined, { tokensMs: 1 })).toBe(1);
});

test("the answer of a trial counts as much as all before, and the pause until the next is longer unless it was faster", () => {
  const speed = new Speed();
  const wholeMs = () => Math.round(speed.parts?.wholeMs ?? 0);
  for (let n = 0; n < 9; n++) speed.note(measured(10_000, 10_000, 100), 0);
  expect(speed.trialAt).toBe(10_000);
  speed.beginTrial(10_000);
  expect(speed.trialAt).toBe(30_000);
  speed.note(measured(8_100, 8_100, 100), 20_000);
  expect([wholeMs(), speed.trialAt]).toEqual([9_000, 40_000]);
  speed.beginTrial(40_000);
  speed.note(measured(1_000, 1_000, 100), 41_000);
  expect([wholeMs(), speed.trialAt]).toEqual([3_000, 51_000]);
});
