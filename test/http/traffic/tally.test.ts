import { expect, test } from "bun:test";
import { endedRequest, Tally } from "../../../src/http/traffic/tally.ts";

const REQUEST = { outcome: "ok", queueMs: 0, firstByteMs: 1, durationMs: 1, deltas: 1 };

/** Returns the cost of a step after it was written and read. */
function costRead(...costs: number[]): number {
  const [written, read] = [new Tally(), new Tally()];
  for (const costNanos of costs) written.note(endedRequest({ ...REQUEST, costNanos }));
  read.addPacked(written.pack());
  return read.costNanos;
}

test("a step keeps a cost above 9 million units of the currency, to 16 digits", () => {
  expect(costRead(Number.MAX_SAFE_INTEGER)).toBe(Number.MAX_SAFE_INTEGER);
  expect(costRead(Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)).toBe(2 * Number.MAX_SAFE_INTEGER);
});

test("a step counts the requests that an agent had and whose models had no price", () => {
  const [written, other, read] = [new Tally(), new Tally(), new Tally()];
  written.note(endedRequest({ ...REQUEST, agent: "a", costNanos: null }));
  written.note(endedRequest({ ...REQUEST, agent: "a", costNanos: 7 }));
  written.note(endedRequest({ ...REQUEST, agent: undefined, costNanos: null }));
  other.add(written);
  read.addPacked(other.pack());
  expect([read.asks, read.costNanos, read.unpriced]).toEqual([3, 7, 1]);
});

test("a cost that no server writes counts as nothing", () => {
  for (const cost of ["1e400", "-1", '"5"', "null", "1e30"]) {
    const tally = new Tally();
    tally.addPacked(`{"a":1,"c":${cost}}`);
    expect([cost, tally.asks, tally.costNanos]).toEqual([cost, 1, 0]);
  }
});
