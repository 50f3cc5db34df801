import { describe, expect, test } from "bun:test";
import { HOUR_MS } from "../../src/durations.ts";
import { PriceBook, type PricedWork } from "../../src/prices/price-book.ts";
import type { ModelPrice } from "../../src/prices/price-list.ts";
import { chooseSeed, createRandom } from "../support/random.ts";

const workOf = (changes: Partial<PricedWork> = {}): PricedWork => ({
  ...{ model: "m", agent: "agent", inputTokens: 0, outputTokens: 0, queueMs: 0, durationMs: 0 },
  ...changes,
});

const bookOf = (models: Record<string, ModelPrice>, aliases?: Record<string, string>) =>
  new PriceBook({ currency: "EUR", models }, aliases);

/** Returns the cost of work on the only model. */
const costOf = (price: ModelPrice, changes: Partial<PricedWork>) =>
  bookOf({ m: price }).costNanosOf(workOf(changes));

describe("the cost of a request", () => {
  test("input and output tokens cost their prices by the million", () => {
    const price = { input: 2.5, output: 10 };
    expect(costOf(price, { inputTokens: 1_000_000 })).toBe(2_500_000_000);
    expect(costOf(price, { inputTokens: 1_000, outputTokens: 500 })).toBe(7_500_000);
    expect(costOf(price, { inputTokens: undefined, outputTokens: undefined })).toBe(0);
  });

  test("a cost of less than a millionth of the unit is kept", () => {
    expect(costOf({ input: 0.02 }, { inputTokens: 5 })).toBe(100);
  });

  test("a cost is rounded once, to the nearest billionth, and a half upwards", () => {
    // Each token costs 0.3 billionths.
    expect([1, 2, 3, 5].map((inputTokens) => costOf({ input: 0.0003 }, { inputTokens }))).toEqual([
      0, 1, 1, 2,
    ]);
    expect(costOf({ input: 0.0003, output: 0.0002 }, { inputTokens: 1, outputTokens: 1 })).toBe(1);
  });

  test("cached and written input tokens are parts of the input, with prices of their own", () => {
    const price = { input: 3, output: 0, cached_input: 0.3, cache_write: 3.75 };
    const tokens = { inputTokens: 1_000, cachedTokens: 600, cacheCreationTokens: 300 };
    expect(costOf(price, tokens)).toBe(100 * 3_000 + 600 * 300 + 300 * 3_750);
    expect(costOf({ input: 3 }, tokens)).toBe(1_000 * 3_000);
  });

  test("parts that are more than the whole do not make a cost negative", () => {
    const tokens = { inputTokens: 10, cachedTokens: 900, cacheCreationTokens: 900 };
    expect(costOf({ input: 3, cached_input: 1, cache_write: 9 }, tokens)).toBe(10_000);
  });

  test("the price of an hour is for the time from when the request was sent to its agent until it ended", () => {
    expect(costOf({ hour: 0.9 }, { queueMs: 5_000, durationMs: 5_000 + HOUR_MS / 2 })).toBe(450_000_000);
    expect(costOf({ hour: 1, input: 1 }, { inputTokens: 1, durationMs: 1 })).toBe(1_000 + 278);
  });

  test("the prices of audio and of images are for what the upstream told of them", () => {
    const price = { audio_minute: 0.006, image: 0.04 };
    expect(costOf(price, { media: { audioMs: 8_470 } })).toBe(847_000);
    expect(costOf(price, { media: { audioMs: 1, images: 3 } })).toBe(100 + 120_000_000);
    expect(costOf(price, { inputTokens: 9, media: { inputBytes: 5 } })).toBe(0);
    expect(costOf({ input: 1 }, { media: { audioMs: 60_000, images: 1 } })).toBe(0);
    expect(costOf({ image: 1_000_000_000 }, { media: { images: 1_000_000 } })).toBe(Number.MAX_SAFE_INTEGER);
  });

  test("requests without an agent cost nothing, and without a price nobody knows", () => {
    expect(costOf({ input: 1 }, { agent: undefined, inputTokens: 9 })).toBe(0);
    const book = bookOf({ m: { input: 1 } });
    expect(book.costNanosOf(workOf({ model: "other" }))).toBeNull();
    expect(book.costNanosOf(workOf({ model: undefined }))).toBeNull();
    expect(new PriceBook().costNanosOf(workOf({ agent: undefined }))).toBeNull();
  });

  test("the highest price of the most tokens is exact as far as a number can be", () => {
    const most = { inputTokens: 100_000_000, outputTokens: 100_000_000 };
    expect(costOf({ input: 1_000_000_000 }, most)).toBe(Number.MAX_SAFE_INTEGER);
    // A product beyond 2^53: 100,000,001 tokens at 90.000001 make 9,000,000,190.000001 millionths.
    expect(costOf({ input: 90.000001 }, { inputTokens: 100_000_001 })).toBe(9_000_000_190_000);
    expect(costOf({ hour: 1_000_000 }, { durationMs: 2 * HOUR_MS + 1 })).toBe(2_000_000_277_777_778);
  });

  const seed = chooseSeed();
  test(`costs are those of exact arithmetic (SEED=${seed})`, () => {
    const random = createRandom(seed);
    for (let step = 0; step < 5_000; step++) {
      const [input, output, hour] = [9, 9, 9].map((digits) => random.below(10 ** random.below(digits)));
      const work = {
        inputTokens: random.below(10 ** random.below(9)),
        outputTokens: random.below(10 ** random.below(9)),
        durationMs: random.below(2 * HOUR_MS),
      };
      const price = { input: (input ?? 0) / 1e6, output: (output ?? 0) / 1e6, hour: (hour ?? 0) / 1e6 };
      const thousandths =
        BigInt(work.inputTokens) * BigInt(input ?? 0) + BigInt(work.outputTokens) * BigInt(output ?? 0);
      const ofTime = (BigInt(work.durationMs) * BigInt(hour ?? 0) + 1_800n) / 3_600n;
      expect(costOf(price, work)).toBe(Number((thousandths + 500n) / 1_000n + ofTime));
    }
  });
});

describe("the price of a model", () => {
  const priced = (book: PriceBook, model: string) => book.costNanosOf(workOf({ model, inputTokens: 1_000 }));

  test("a price of the model's own name comes before one of its beginning, and the longest beginning wins", () => {
    const book = bookOf({
      ...{ "*": { input: 1 }, "gpt-*": { input: 2 }, "gpt-5*": { input: 3 }, "gpt-5-mini": { input: 4 } },
    });
    const models = ["llama", "gpt-4", "gpt-5", "gpt-5-pro", "gpt-5-mini"];
    expect(models.map((model) => priced(book, model))).toEqual([1e6, 2e6, 3e6, 3e6, 4e6]);
  });

  test("a price may be of an alias, of the aliased model, or of the other name by Ollama's rule", () => {
    const aliases = { best: "llama3.2", cheap: "qwen" };
    const book = bookOf({ best: { input: 1 }, qwen: { input: 2 }, "phi:latest": { input: 3 } }, aliases);
    expect(
      ["llama3.2", "best", "cheap", "qwen", "qwen:latest", "phi"].map((one) => priced(book, one)),
    ).toEqual([1e6, 1e6, 2e6, 2e6, 2e6, 3e6]);
    expect(priced(book, "toString")).toBeNull();
    book.useAliases({});
    expect(priced(book, "llama3.2")).toBeNull();
  });

  test("new prices count from then on, also for models that had none", () => {
    const book = bookOf({ a: { input: 1 } });
    expect([priced(book, "a"), priced(book, "b")]).toEqual([1e6, null]);
    book.replace({ currency: "USD", models: { a: { input: 5 }, b: { input: 6 } } });
    expect([priced(book, "a"), priced(book, "b"), book.currency]).toEqual([5e6, 6e6, "USD"]);
    book.replace({ currency: "USD", models: {} });
    expect([priced(book, "a"), book.currency]).toEqual([null, null]);
  });

  test("an estimate has both kinds of tokens, and a minute where time has a price", () => {
    const book = bookOf({ a: { input: 1, output: 2 }, b: { hour: 6 } });
    expect(book.estimateNanos(["a"], 1_000, 500)).toBe(2_000_000);
    expect(book.estimateNanos(["b"], 1_000, 500)).toBe(100_000_000);
    const media = bookOf({ a: { audio_minute: 0.006 }, b: { image: 0.04 } });
    expect([media.estimateNanos(["a"], 9, 9), media.estimateNanos(["b"], 9, 9)]).toEqual([6e6, 4e7]);
    expect([book.estimateNanos(["c"], 1, 1), book.estimateNanos([], 1, 1)]).toEqual([0, 0]);
  });

  test("an estimate is that of the dearest model that may answer, fallbacks of each included", () => {
    const book = bookOf({ a: { input: 1 }, b: { input: 5 }, c: { input: 3 } }, { best: "a" });
    const estimate = (...models: string[]) => book.estimateNanos(models, 1_000, 0);
    expect([estimate("a"), estimate("a", "c")]).toEqual([1e6, 3e6]);
    book.useFallbacks({ a: ["none", "c"], c: ["b"] });
    expect([estimate("a"), estimate("best"), estimate("c"), estimate("b")]).toEqual([3e6, 3e6, 5e6, 5e6]);
    book.useFallbacks({});
    expect(estimate("best")).toBe(1e6);
  });
});
