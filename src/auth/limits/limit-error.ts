import { HOUR_MS, MINUTE_MS } from "../../durations.ts";
import { AppError, type ErrorCode } from "../../errors.ts";

/** How long to wait for running requests to end: a guess, as nobody knows when they do. */
export const RUNNING_RETRY_MS = 1_000;

/** The errors by which the limits of a user refuse a request. */
export const LIMIT_CODES = [
  ...(["limit_requests", "limit_tokens", "limit_parallel"] as const),
  ...(["limit_budget_day", "limit_budget_month", "limit_budget_reserved"] as const),
] as const satisfies readonly ErrorCode[];
export type LimitCode = (typeof LIMIT_CODES)[number];

/** Clients parse "try again in" with seconds. A wait longer than clients take is written for people. */
export function limitError(code: LimitCode, reason: string, waitMs: number): AppError {
  const retryAfterMs = Math.max(1, Math.ceil(waitMs));
  const wait = retryAfterMs <= MINUTE_MS ? `${retryAfterMs / 1000}s` : formatDuration(retryAfterMs);
  return new AppError(code, { hint: `${reason} Please try again in ${wait}.`, retryAfterMs });
}

/** Writes a time as OpenAI's headers do: `17ms`, `8.64s`, `6m0s`, `1h0m30s`. Rounds up to milliseconds. */
export function formatDuration(ms: number): string {
  const whole = Math.max(0, Math.ceil(ms));
  if (whole > 0 && whole < 1000) return `${whole}ms`;
  const hours = Math.floor(whole / HOUR_MS);
  const minutes = Math.floor((whole % HOUR_MS) / MINUTE_MS);
  const seconds = `${(whole % MINUTE_MS) / 1000}s`;
  if (hours > 0) return `${hours}h${minutes}m${seconds}`;
  return minutes > 0 ? `${minutes}m${seconds}` : seconds;
}
