import { expect, test } from "bun:test";
import { isAmount, moneyText } from "../../src/prices/money.ts";
import { PriceList } from "../../src/prices/price-list.ts";

const faultOf = (models: unknown, currency: unknown = "EUR") => {
  const [issue] = PriceList.safeParse({ currency, models }).error?.issues ?? [];
  return issue && `${issue.path.join(".")}: ${issue.message}`;
};

test("a price list has a currency and prices of models, with a wildcard at the end of a name", () => {
  const list = {
    currency: "JPY",
    models: {
      "gpt-5": { input: 0.000001, output: 1_000_000_000 },
      "org/llama*": { hour: 0 },
      "*": { input: 2 },
    },
  };
  expect(PriceList.parse(list)).toEqual(list);
  expect(PriceList.parse({ currency: "EUR", models: {} }).models).toEqual({});
});

test.each([
  [{ m: {} }, "EUR", "models.m: give at least one price"],
  [
    { m: { input: -1 } },
    "EUR",
    "models.m.input: give a number from 0 to 1000000000, with at most six decimal places",
  ],
  [
    { m: { input: 0.0000001 } },
    "EUR",
    "models.m.input: give a number from 0 to 1000000000, with at most six decimal places",
  ],
  [{ m: { input: "2" } }, "EUR", "models.m.input: give a number"],
  [
    { m: { input: 1e10 } },
    "EUR",
    "models.m.input: give a number from 0 to 1000000000, with at most six decimal places",
  ],
  [{ m: { inputs: 1 } }, "EUR", 'models.m: Unrecognized key: "inputs"'],
  [
    { "a*b": { input: 1 } },
    "EUR",
    "models.a*b: give a name without control characters. A * may stand at its end",
  ],
  [{ "": { input: 1 } }, "EUR", "models.: give a name of 1 to 256 characters"],
  [{}, "EURO", "currency: give a currency of ISO 4217, such as EUR"],
  [{}, "usd", "currency: give a currency of ISO 4217, such as EUR"],
  [{}, "UDS", "currency: give a currency of ISO 4217, such as EUR"],
])("the prices %p in %p are refused", (models, currency, fault) => {
  expect(faultOf(models, currency)).toBe(fault);
});

test("a list of more than 1000 models is refused", () => {
  const models = Object.fromEntries(Array.from({ length: 1_001 }, (_, index) => [`m${index}`, { input: 1 }]));
  expect(faultOf(models)).toBe("models: give the prices of at most 1000 models");
});

test("an amount has six decimal places at most, whatever its size", () => {
  for (const amount of [0, 0.1, 4.35, 1.000001, 999_999_999.999999, 1_000_000_000])
    expect(isAmount(amount)).toBe(true);
  for (const amount of [-0.1, 0.0000015, 1_000_000_000.1, Number.NaN, Infinity])
    expect(isAmount(amount)).toBe(false);
});

test("money is written with its currency and at most six decimal places", () => {
  expect(moneyText(1_250_000_000, "EUR")).toBe("1.25 EUR");
  expect(moneyText(1_234_567, "JPY")).toBe("0.001235 JPY");
  expect(moneyText(5e18, null)).toBe("5000000000");
});
