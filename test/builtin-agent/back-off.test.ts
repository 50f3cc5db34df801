import { expect, test } from "bun:test";
import { BackOff } from "../../src/builtin-agent/back-off.ts";
import { chooseSeed, createRandom } from "../support/random.ts";

const seed = chooseSeed();

test(`pauses are random up to a limit that doubles from 1 s to 60 s (SEED=${seed})`, () => {
  const random = createRandom(seed);
  const limits = [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000];
  const largest = limits.map(() => 0);
  for (let round = 0; round < 300; round++) {
    const backOff = new BackOff(() => random.next());
    for (const [index, limit] of limits.entries()) {
      const pause = backOff.next();
      expect(pause).toBeWithin(0, limit + 1);
      largest[index] = Math.max(largest[index] ?? 0, pause);
    }
  }
  for (const [index, limit] of limits.entries()) expect(largest[index]).toBeGreaterThan(limit * 0.9);
});

test("after a reset the pauses are short again", () => {
  const backOff = new BackOff(() => 1);
  expect([backOff.next(), backOff.next()]).toEqual([1000, 2000]);
  backOff.reset();
  expect(backOff.next()).toBe(1000);
});
