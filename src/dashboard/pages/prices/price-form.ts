import type { PriceList } from "../../api/types.ts";
import { type TextKey, text } from "../../texts/texts.ts";

type ModelPrice = PriceList["models"][string];

/** The prices of a model, in the order of the table, with the titles of their columns, and units where a title has none. */
export const PRICE_FIELDS = [
  { field: "input", title: "prices.input", unit: "prices.perTokens" },
  { field: "cached_input", title: "prices.cachedInput", unit: "prices.perTokens" },
  { field: "cache_write", title: "prices.cacheWrite", unit: "prices.perTokens" },
  { field: "output", title: "prices.output", unit: "prices.perTokens" },
  { field: "hour", title: "prices.hour" },
  { field: "audio_minute", title: "prices.audioMinute" },
  { field: "image", title: "prices.image" },
] as const satisfies readonly { field: keyof ModelPrice; title: TextKey; unit?: TextKey }[];

export type PriceField = (typeof PRICE_FIELDS)[number]["field"];

/** A row of the table as it is typed. */
export type PriceRow = Readonly<Record<"model" | PriceField, string>>;

export const EMPTY_ROW: PriceRow = {
  ...{ model: "", input: "", cached_input: "", cache_write: "", output: "", hour: "" },
  ...{ audio_minute: "", image: "" },
};

/** Returns the rows of a list, in its order. */
export function rowsOf({ models }: PriceList): PriceRow[] {
  return Object.entries(models).map(([model, price]) => ({
    ...EMPTY_ROW,
    ...Object.fromEntries(Object.entries(price).map(([field, amount]) => [field, plainText(amount)])),
    model,
  }));
}

/** Writes a number without an exponent. */
const plainText = (amount = 0) =>
  amount.toLocaleString("en", { useGrouping: false, maximumFractionDigits: 6 });

/** Reads what was typed. A row without any text is left out. Throws an `Error` with a text for people. */
export function readPrices(currency: string, rows: readonly PriceRow[]): PriceList {
  const code = currency.trim().toUpperCase();
  if (!/^[A-Z]{3}$/.test(code)) throw new Error(text("prices.currencyInvalid"));
  const models = new Map<string, ModelPrice>();
  for (const row of rows) {
    if (Object.values(row).every((value) => value.trim() === "")) continue;
    const model = row.model.trim();
    if (model === "") throw new Error(text("prices.modelMissing"));
    if (/[*]./.test(model)) throw new Error(text("prices.wildcardInvalid", { model }));
    if (models.has(model)) throw new Error(text("prices.modelTwice", { model }));
    models.set(model, readPrice(model, row));
  }
  return { currency: code, models: Object.fromEntries(models) };
}

function readPrice(model: string, row: PriceRow): ModelPrice {
  const price: ModelPrice = {};
  for (const { field, title } of PRICE_FIELDS) {
    const typed = row[field].trim();
    if (typed === "") continue;
    if (!/^\d{1,10}(\.\d{1,6})?$/.test(typed))
      throw new Error(text("prices.amountInvalid", { model, price: text(title) }));
    price[field] = Number(typed);
  }
  if (Object.keys(price).length === 0) throw new Error(text("prices.noPrice", { model }));
  return price;
}
