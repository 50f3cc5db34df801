import { expect, test } from "bun:test";
import { bucketOf, Histogram } from "../../../src/http/traffic/histogram.ts";
import { chooseSeed, createRandom } from "../../support/random.ts";

const histogramOf = (values: readonly number[]) => {
  const histogram = new Histogram();
  for (const value of values) histogram.note(bucketOf(value));
  return histogram;
};

test("a quantile of a histogram is within a tenth of the exact one", () => {
  const seed = chooseSeed();
  const random = createRandom(seed);
  for (let round = 0; round < 50; round++) {
    const values = Array.from({ length: 1 + random.below(400) }, () => 2 ** (random.below(2_300) / 100));
    const sorted = values.toSorted((a, b) => a - b);
    for (const share of [0.5, 0.95]) {
      const exact = sorted[Math.ceil(sorted.length * share) - 1] ?? 0;
      const found = histogramOf(values).quantile(share) ?? 0;
      expect(Math.abs(found - exact), `${exact} ms, seed ${seed}`).toBeLessThanOrEqual(exact / 10 + 0.5);
    }
  }
});

test("the sum of two histograms is that of all their values, also after they were packed", () => {
  const [one, other] = [histogramOf([0, 3, 70]), histogramOf([3, 900])];
  const sum = new Histogram();
  sum.addPacked(JSON.parse(JSON.stringify(one.pack())));
  sum.add(other);
  expect(sum.pack()).toEqual(histogramOf([0, 3, 70, 3, 900]).pack());
});

test("an empty histogram has no quantiles, and what is not one is empty", () => {
  for (const packed of [undefined, [], "x", [-1, 5], [9_999, 5]]) {
    const histogram = new Histogram();
    histogram.addPacked(packed);
    expect(histogram.quantile(0.5)).toBeNull();
  }
});

test("values beyond the last bucket count in it", () => {
  expect(histogramOf([Number.MAX_SAFE_INTEGER, Infinity]).quantile(0.5)).toBeGreaterThan(4 * 3_600_000);
});
