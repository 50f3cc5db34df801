/**
 * Amounts of money are whole numbers, so that sums are exact: a cost is in nanos, billionths of the currency's unit, and
 * a price or a budget in micros, millionths. A cost needs the finer unit: five tokens at 0.02 a million are a tenth of a
 * micro, and rounded to micros thousands of such requests would cost nothing. As a double is exact up to 2^53, sums are
 * exact up to 9 million units of the currency, and beyond that to 16 digits.
 */
const NANOS = 1_000_000_000;
const MICROS = 1_000_000;
export const NANOS_PER_MICRO = 1_000;

/** The largest price or budget, in units of the currency. */
export const AMOUNT_MAX = 1_000_000_000;

/** Returns an amount in units of the currency, for JSON. */
export const unitsOfNanos = (nanos: number): number => nanos / NANOS;

export const microsOf = (units: number): number => Math.round(units * MICROS);

/** Whether an amount, in units of the currency, is not below 0 and has at most six decimal places. */
export function isAmount(units: number): boolean {
  return units >= 0 && units <= AMOUNT_MAX && microsOf(units) / MICROS === units;
}

const CURRENCIES: ReadonlySet<string> = new Set(Intl.supportedValuesOf("currency"));

/** Whether the text is a currency of ISO 4217, such as `EUR`. */
export const isCurrency = (text: string): boolean => CURRENCIES.has(text);

/** Returns an amount as in `1.25 EUR`, with at most six decimal places. Without a currency it is a plain number. */
export function moneyText(nanos: number, currency: string | null): string {
  const amount = String(Number(unitsOfNanos(nanos).toFixed(6)));
  return currency === null ? amount : `${amount} ${currency}`;
}
