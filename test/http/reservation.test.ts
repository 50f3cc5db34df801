import { expect, test } from "bun:test";
import type { Allowance } from "../../src/auth/callers.ts";
import { pricerOf } from "../../src/http/reservation.ts";
import { PriceBook } from "../../src/prices/price-book.ts";

const URL = "http://server/v1/chat/completions";
const TOKENS = { input: 1_000, output: 500 };
const PRICES = new PriceBook({ currency: "EUR", models: { dear: { input: 1 }, cheap: { input: 0.1 } } });
const offered = () => ["dear", "cheap"];

const NO_LIMITS = { requestsPerMinute: null, tokensPerDay: null, maxParallel: null };
const callerWith = (budgets: Pick<Allowance, "budgetDayMicros" | "budgetMonthMicros">) => ({
  allowance: { ...NO_LIMITS, ...budgets } as Allowance,
});
const RICH = callerWith({ budgetDayMicros: null, budgetMonthMicros: 1_000_000 });
const FREE = callerWith({ budgetDayMicros: null, budgetMonthMicros: null });

/** A body that fails the test when it is read. */
const UNREAD = new Proxy(
  {},
  {
    get: (_, name) => expect.unreachable(`the body's ${String(name)} was read`),
    getOwnPropertyDescriptor: (_, name) => expect.unreachable(`the body's ${String(name)} was read`),
  },
);

test("a request is priced by its model, and by the dearest that agents offer if it names none", () => {
  const priceOf = (json: unknown) =>
    pricerOf({ prices: PRICES, offered }, { caller: RICH, url: URL, json })(TOKENS);
  expect(priceOf({ model: "cheap" })).toEqual({ tokens: 1_500, costNanos: 100_000 });
  expect(priceOf({})).toEqual({ tokens: 1_500, costNanos: 1_000_000 });
});

test.each([
  ["of a user without a budget", PRICES, FREE],
  ["of the admin key", PRICES, { allowance: null }],
  ["where no model has a price", new PriceBook(), RICH],
] as const)(
  "the body of a request %s is not searched for models, and it costs nothing",
  (_, prices, caller) => {
    const priced = pricerOf({ prices, offered }, { caller, url: URL, json: UNREAD });
    expect(priced(TOKENS)).toEqual({ tokens: 1_500, costNanos: 0 });
  },
);
