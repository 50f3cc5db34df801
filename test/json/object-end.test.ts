import { expect, test } from "bun:test";
import { ObjectEnd } from "../../src/json/object-end.ts";
import { chooseSeed, createRandom } from "../support/random.ts";

/** Returns whether the object has ended, whatever pieces its text comes in. */
function endIn(text: string): boolean {
  const end = new ObjectEnd();
  for (const char of text) end.add(char);
  const whole = new ObjectEnd();
  whole.add(text);
  expect(whole.isReached).toBe(end.isReached);
  return end.isReached;
}

test.each([
  ['{"a":"}"}', true],
  [' {"a":[{"b":"\\"}"}]} \n', true],
  ["{}", true],
  ['{"a":"\\\\"}', true],
  ["", false],
  ['{"a":"}', false],
  ['{"a":[}', false],
  ["{}}", false],
  ["{}{", false],
  ['{}"', false],
  ["[]", false],
  ["1{}", false],
  [`${'{"a":'.repeat(256)}1${"}".repeat(256)}`, true],
  [`${'{"a":'.repeat(257)}1${"}".repeat(257)}`, false],
])("the end of the object in %j is reached: %p", (text, expected) => {
  expect(endIn(text)).toBe(expected);
});

const seed = chooseSeed();
test(`an object in random pieces ends with its last bracket (SEED=${seed})`, () => {
  const random = createRandom(seed);
  for (let round = 0; round < 200; round++) {
    const value = { text: '\\"}{][', list: [{}, [[]], round, null], [`k"${round}`]: { a: {} } };
    const text = JSON.stringify(value, null, round % 3);
    const end = new ObjectEnd();
    for (let at = 0; at < text.length; ) {
      expect(end.isReached).toBe(false);
      const to = at + 1 + random.below(5);
      end.add(text.slice(at, to));
      at = to;
    }
    expect(end.isReached).toBe(true);
  }
});

test("a million pieces are read once, not again with each piece", () => {
  const end = new ObjectEnd();
  end.add('{"a":[{}');
  for (let n = 0; n < 1_000_000; n++) end.add(",{}");
  end.add("]}");
  expect(end.isReached).toBe(true);
});
