import { expect, test } from "bun:test";
import { SeededHash } from "../../../src/relay/routing/seeded-hash.ts";

function hashOf(seed: number, first: string, second: string): number {
  const hash = new SeededHash(seed);
  hash.begin(first);
  return hash.of(second);
}

test("a hash is a whole number of 53 bits, the same for the same pair", () => {
  for (const [first, second] of [
    ["", ""],
    ["m", "key"],
    ["é", "\u{1f600}".repeat(100)],
  ] as const) {
    const hash = hashOf(0.3, first, second);
    expect(hash).toBe(hashOf(0.3, first, second));
    expect(Number.isSafeInteger(hash) && hash >= 0).toBe(true);
  }
});

test("the seed, and where the first text ends, change the hash", () => {
  expect(hashOf(0.3, "m", "key")).not.toBe(hashOf(0.4, "m", "key"));
  expect(hashOf(0.3, "m", "key")).not.toBe(hashOf(0.3, "mk", "ey"));
  expect(hashOf(0.3, "", "m")).not.toBe(hashOf(0.3, "m", ""));
});
