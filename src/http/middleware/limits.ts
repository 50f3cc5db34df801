import type { Caller } from "../../auth/callers.ts";
import { formatDuration } from "../../auth/limits/limit-error.ts";
import type { LimitStanding, Limits } from "../../auth/limits/limits.ts";
import { unitsOfNanos } from "../../prices/money.ts";

/** Sets the headers that tell what is left of the caller's limits, if they have any. */
export function setLimitHeaders(headers: Headers, limits: Limits, { principal, allowance }: Caller): void {
  if (principal.kind === "admin" || !allowance) return;
  const { requests, tokens, budgetDay, budgetMonth } = limits.standing(principal.id, allowance);
  if (requests) setHeaders(headers, "requests", requests);
  if (tokens) setHeaders(headers, "tokens", tokens);
  if (budgetDay) setHeaders(headers, "budget-day", inUnits(budgetDay));
  if (budgetMonth) setHeaders(headers, "budget-month", inUnits(budgetMonth));
}

const inUnits = ({ limit, remaining, resetMs }: LimitStanding): LimitStanding => ({
  limit: unitsOfNanos(limit),
  remaining: unitsOfNanos(remaining),
  resetMs,
});

/** Sets headers as in https://platform.openai.com/docs/guides/rate-limits#rate-limits-in-headers. */
function setHeaders(headers: Headers, what: string, { limit, remaining, resetMs }: LimitStanding): void {
  headers.set(`x-ratelimit-limit-${what}`, String(limit));
  headers.set(`x-ratelimit-remaining-${what}`, String(remaining));
  headers.set(`x-ratelimit-reset-${what}`, formatDuration(resetMs));
}
