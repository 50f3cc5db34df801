import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../durations.ts";
import { text } from "../texts/texts.ts";

/** The periods that end now. */
export const PERIODS = [
  { value: "15m", label: text("period.15m"), ms: 15 * MINUTE_MS },
  { value: "1h", label: text("period.1h"), ms: HOUR_MS },
  { value: "6h", label: text("period.6h"), ms: 6 * HOUR_MS },
  { value: "24h", label: text("period.24h"), ms: DAY_MS },
  { value: "7d", label: text("period.7d"), ms: 7 * DAY_MS },
  { value: "30d", label: text("period.30d"), ms: 30 * DAY_MS },
] as const;

export type PeriodName = (typeof PERIODS)[number]["value"];

/** Returns the period of this name; undefined if there is none. */
export function periodOf(name: string | null): PeriodName | undefined {
  return PERIODS.find(({ value }) => value === name)?.value;
}

/** Returns when the period begins, in RFC 3339; undefined without one. */
export function startOf(period: PeriodName | undefined, now: number): string | undefined {
  const ms = PERIODS.find(({ value }) => value === period)?.ms;
  return ms === undefined ? undefined : new Date(now - ms).toISOString();
}
