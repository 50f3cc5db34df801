import { language, text } from "./texts/texts.ts";

const NONE = "–";
const whole = new Intl.NumberFormat(language, { maximumFractionDigits: 0 });
const tenth = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
const clock = new Intl.DateTimeFormat(language, {
  hourCycle: "h23",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
});
const short = new Intl.NumberFormat(language, { notation: "compact", maximumFractionDigits: 1 });

/** A value to show to people. Unknown values are shown as a dash. */
type Maybe<T> = T | null | undefined;

/** Rounds to a whole number from ten up, to one decimal place below: 1,234 or 0.3. */
export function formatNumber(value: Maybe<number>): string {
  if (value === null || value === undefined) return NONE;
  return (Math.abs(value) < 10 ? tenth : whole).format(value);
}

/** Formats a whole number with every digit: 1,234. */
export function formatWhole(value: number): string {
  return whole.format(value);
}

/** Formats a number compactly, for axes and tiles: 12.3K. */
export function formatShort(value: Maybe<number>): string {
  return value === null || value === undefined ? NONE : short.format(value);
}

/** Formats a number of bytes: 999 B, 12.3 kB, 4.7 MB. */
export function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB"];
  let [value, unit] = [bytes, 0];
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${(unit === 0 || value >= 99.95 ? whole : tenth).format(value)} ${units[unit]}`;
}

const moneyFormats = new Map<string, Intl.NumberFormat>();

/** Formats an amount of money: €12.50 or, below one unit, with three digits that say something: €0.000161. */
export function formatMoney(value: Maybe<number>, currency: string): string {
  if (value === null || value === undefined) return NONE;
  const isSmall = value !== 0 && Math.abs(value) < 1;
  const key = `${currency} ${isSmall}`;
  const digits = isSmall ? { minimumSignificantDigits: 2, maximumSignificantDigits: 3 } : {};
  const format =
    moneyFormats.get(key) ?? new Intl.NumberFormat("en", { style: "currency", currency, ...digits });
  moneyFormats.set(key, format);
  return format.format(value);
}

/** Longer amounts have no room in a tile. */
const LONG_AMOUNT = 10_000;

/** Formats an amount of money compactly, for tiles: €12.50, €18.1M. */
export function formatShortMoney(value: Maybe<number>, currency: string): string {
  if (value === null || value === undefined || Math.abs(value) < LONG_AMOUNT)
    return formatMoney(value, currency);
  const digits = { notation: "compact", maximumSignificantDigits: 3 } as const;
  return new Intl.NumberFormat("en", { style: "currency", currency, ...digits }).format(value);
}

/** Formats an amount whose currency may not be known, as the server has no prices: €12.50 or 12.5. */
export function formatAmount(value: number, currency: string | null): string {
  return currency === null ? String(value) : formatMoney(value, currency);
}

/** Formats a duration: 12 ms, 1.2 s, 3 min 5 s, 2 h 5 min, 3 d 4 h. */
export function formatDuration(ms: Maybe<number>): string {
  if (ms === null || ms === undefined) return NONE;
  if (ms < 999.5) return text("format.ms", { count: whole.format(ms) });
  if (ms < 59_950) return text("format.s", { count: tenth.format(ms / 1000) });
  const { unit, count, smallerUnit, rest } = largeUnitsOf(ms);
  return [
    text(`format.${unit}`, { count }),
    ...(rest > 0 ? [text(`format.${smallerUnit}`, { count: rest })] : []),
  ].join(" ");
}

/** Splits a duration of a minute or more into its largest unit and what is left of it in the next smaller one. */
function largeUnitsOf(ms: number) {
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return split(seconds, 60, "min", "s");
  const minutes = Math.floor(seconds / 60);
  return minutes < 1440 ? split(minutes, 60, "h", "min") : split(Math.floor(minutes / 60), 24, "d", "h");
}

type Unit = "s" | "min" | "h" | "d";

function split(value: number, base: number, unit: Unit, smallerUnit: Unit) {
  return { unit, count: Math.floor(value / base), smallerUnit, rest: value % base };
}

/** Formats a duration without fractions of a second: 42 s, 3 min 5 s. */
export function formatUptime(ms: number): string {
  return formatDuration(Math.max(1, Math.round(ms / 1000)) * 1000);
}

/** Formats a time of day in the browser's time zone: 14:05:09. */
export function formatClock(time: Maybe<string | number>): string {
  if (time === null || time === undefined) return NONE;
  return clock.format(new Date(time));
}

/** Formats a date and time in the browser's time zone: 2026-11-23 14:05. */
export function formatTime(time: Maybe<string | number>): string {
  if (time === null || time === undefined) return NONE;
  const date = new Date(time);
  const two = (value: number) => String(value).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

const zone = new Intl.DateTimeFormat(language, { timeZoneName: "short" });

/** Returns the browser's time zone at a time: GMT+1. */
export function formatZone(at = new Date()): string {
  return zone.formatToParts(at).find(({ type }) => type === "timeZoneName")?.value ?? "";
}

/** Formats a date and time with the browser's time zone: 2026-11-23 14:05 GMT+1. */
export const formatZoned = (time: string): string => `${formatTime(time)} ${formatZone(new Date(time))}`;

/** Formats a date and time with its seconds: 2026-11-23 14:05:09. */
export function formatSecond(time: string | number): string {
  return `${formatTime(time).slice(0, 10)} ${formatClock(time)}`;
}

/**
 * Formats an age with its largest unit: just now, 5 s ago, 3 min ago. `now` is in milliseconds since 1970.
 */
export function formatAgo(time: Maybe<string | number>, now: number): string {
  if (time === null || time === undefined) return NONE;
  const ms = now - new Date(time).getTime();
  if (ms < 2000) return text("format.justNow");
  if (ms < 59_950) return text("format.ago.s", { count: Math.floor(Math.round(ms / 100) / 10) });
  const { unit, count } = largeUnitsOf(ms);
  return text(`format.ago.${unit}`, { count });
}

/** Formats a part of a whole as a percentage: 33%. */
export function formatShare(part: number, all: number): string {
  return all > 0 ? text("format.percent", { count: whole.format((100 * part) / all) }) : NONE;
}
