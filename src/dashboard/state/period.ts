import { text } from "../texts/texts.ts";
/** The periods that end now. */
export const PERIODS = [
  { value: "15m", label: text("period.15m"), ms: 900_000 },
  { value: "1h", label: text("period.1h"), ms: 3_600_000 },
  { value: "6h", label: text("period.6h"), ms: 21_600_000 },
  { value: "24h", label: text("period.24h"), ms: 86_400_000 },
  { value: "7d", label: text("period.7d"), ms: 604_800_000 },
  { value: "30d", label: text("period.30d"), ms: 2_592_000_000 },
] as const;

export type PeriodName = (typeof PERIODS)[number]["value"];

/** Returns when the period begins, in RFC 3339; undefined for a name that is not one of a period. */
export function startOf(period: string | undefined, now: number): string | undefined {
  const ms = PERIODS.find(({ value }) => value === period)?.ms;
  return ms === undefined ? undefined : new Date(now - ms).toISOString();
}
