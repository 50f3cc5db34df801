/** How much of a rate limit is left. */
export interface RateLimitStatus {
  limit: number;
  remaining: number;
  /** The time until all of it is available again, for people: `6 h 12 min`. */
  reset: string;
}

/** Reads a rate limit from response headers; undefined if there is no such limit. */
export function readRateLimit(
  headers: { get(name: string): string | null },
  what: "requests" | "tokens",
): RateLimitStatus | undefined {
  const limit = numberOf(headers.get(`x-ratelimit-limit-${what}`));
  const remaining = numberOf(headers.get(`x-ratelimit-remaining-${what}`));
  if (limit === undefined || remaining === undefined) return undefined;
  return { limit, remaining, reset: spellOut(headers.get(`x-ratelimit-reset-${what}`) ?? "") };
}

function numberOf(text: string | null): number | undefined {
  const value = text ? Number(text) : Number.NaN;
  return Number.isFinite(value) ? value : undefined;
}

const UNITS: Record<string, string> = { h: "h", m: "min", s: "s", ms: "ms" };

/** Formats `6h12m4.5s` for people, with the two largest units. */
function spellOut(duration: string): string {
  const parts = [...duration.matchAll(/([\d.]+)(ms|h|m|s)/g)]
    .map(([, value, unit = ""]) => ({ value: Math.ceil(Number(value)), unit: UNITS[unit] ?? unit }))
    .filter(({ value }) => value > 0);
  return (
    parts
      .slice(0, 2)
      .map(({ value, unit }) => `${value} ${unit}`)
      .join(" ") || "0 s"
  );
}
