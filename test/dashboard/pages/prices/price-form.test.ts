import { expect, test } from "bun:test";
import { EMPTY_ROW, readPrices, rowsOf } from "../../../../src/dashboard/pages/prices/price-form.ts";
import { PriceList } from "../../../../src/prices/price-list.ts";

const row = (fields: Partial<typeof EMPTY_ROW>) => ({ ...EMPTY_ROW, ...fields });

test("prices become rows, and come back unchanged", () => {
  const list = {
    currency: "JPY",
    models: {
      "gpt-*": { input: 0.000001, output: 1_000_000_000, cached_input: 0, cache_write: 3.75 },
      llama: { hour: 0.4 },
      whisper: { audio_minute: 0.006 },
      "gpt-image": { image: 0.04 },
    },
  };
  expect(rowsOf(list)[0]).toEqual(
    row({ model: "gpt-*", input: "0.000001", output: "1000000000", cached_input: "0", cache_write: "3.75" }),
  );
  expect(readPrices("JPY", rowsOf(list))).toEqual(list);
});

test("blanks around texts and rows without any are left out, and the currency may be in small letters", () => {
  const list = readPrices(" eur ", [row({}), row({ model: " m ", input: " 2.50 " }), row({ model: "  " })]);
  expect(list).toEqual({ currency: "EUR", models: { m: { input: 2.5 } } });
  expect(PriceList.parse(list)).toEqual(list);
});

test.each([
  ["EURO", [], "The currency must be a code of three letters, such as EUR."],
  ["EUR", [row({ input: "1" })], "A row has a price but no model. Enter its name, or remove the row."],
  ["EUR", [row({ model: "m" })], "m has no price. Enter one, or remove the row."],
  [
    "EUR",
    [row({ model: "a*b", input: "1" })],
    "a*b has a * before its end. Use it only as the last character, as in gpt-*.",
  ],
  [
    "EUR",
    [row({ model: "m", input: "1" }), row({ model: "m", hour: "1" })],
    "m has two rows. Remove one of them.",
  ],
  ...["-1", "1,5", "1e3", "0.0000001", "NaN", "12345678901"].map(
    (output): [string, (typeof EMPTY_ROW)[], string] => [
      "EUR",
      [row({ model: "m", output })],
      "m: Output must be a number that is not negative, with at most six decimal places.",
    ],
  ),
])("prices in %s as %p are refused: %s", (currency, rows, message) => {
  expect(() => readPrices(currency, rows)).toThrow(message);
});
