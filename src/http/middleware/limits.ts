import type { Caller } from "../../auth/callers.ts";
import { formatDuration } from "../../auth/limit-error.ts";
import type { LimitStanding, Limits } from "../../auth/limits.ts";
import type { HttpContext } from "../context.ts";

/** Makes the response, whatever it will be, tell what is left of the user's limits. */
export function showLimits(c: HttpContext, limits: Limits, { principal, allowance }: Caller): void {
  if (principal.kind === "admin" || !allowance) return;
  c.set("showLimits", (headers) => {
    const { requests, tokens } = limits.standing(principal.id, allowance);
    if (requests) setHeaders(headers, "requests", requests);
    if (tokens) setHeaders(headers, "tokens", tokens);
  });
}

/** Sets headers as in https://platform.openai.com/docs/guides/rate-limits#rate-limits-in-headers. */
function setHeaders(headers: Headers, what: string, { limit, remaining, resetMs }: LimitStanding): void {
  headers.set(`x-ratelimit-limit-${what}`, String(limit));
  headers.set(`x-ratelimit-remaining-${what}`, String(remaining));
  headers.set(`x-ratelimit-reset-${what}`, formatDuration(resetMs));
}
