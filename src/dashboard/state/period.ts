/** The periods that end now. */
export const PERIODS = [
  { value: "15m", label: "Last 15 minutes", ms: 900_000 },
  { value: "1h", label: "Last hour", ms: 3_600_000 },
  { value: "6h", label: "Last 6 hours", ms: 21_600_000 },
  { value: "24h", label: "Last 24 hours", ms: 86_400_000 },
  { value: "7d", label: "Last 7 days", ms: 604_800_000 },
  { value: "30d", label: "Last 30 days", ms: 2_592_000_000 },
] as const;

export type PeriodName = (typeof PERIODS)[number]["value"];

/** Returns when the period begins, in RFC 3339; undefined for a name that is not one of a period. */
export function startOf(period: string | undefined, now: number): string | undefined {
  const ms = PERIODS.find(({ value }) => value === period)?.ms;
  return ms === undefined ? undefined : new Date(now - ms).toISOString();
}
