import type { Caller } from "../../auth/callers.ts";
import { formatDuration, type LimitStanding, type Limits } from "../../auth/limits.ts";
import type { HttpContext } from "../context.ts";

/**
 * Answers an ask within its user's limits, or throws as `Limits.admit` does. It is let in before its body is read,
 * so a user above his limits costs next to nothing, and a request that then proves faulty counts as one.
 *
 * The room is given back when `answer` has ended, whichever way; where that leaves an ask running, as a stream
 * does, it says so with `c.set("asked", …)`, and the room is given back when the ask has its outcome.
 */
export async function withinLimits(
  c: HttpContext,
  limits: Limits,
  caller: Caller,
  answer: () => Promise<Response>,
): Promise<Response> {
  showLimits(c, limits, caller);
  const lease = limits.admit(caller.principal, caller.allowance);
  try {
    return await answer();
  } finally {
    const asked = c.get("asked");
    if (asked) void asked.then(lease.end, lease.end);
    else lease.end();
  }
}

/** Has the answer, whatever it will be, tell how the user then stands. */
export function showLimits(c: HttpContext, limits: Limits, { principal, allowance }: Caller): void {
  if (principal.kind === "admin" || !allowance) return;
  c.set("showLimits", (headers) => {
    const { requests, tokens } = limits.standing(principal.id, allowance);
    if (requests) setHeaders(headers, "requests", requests);
    if (tokens) setHeaders(headers, "tokens", tokens);
  });
}

/** In the names and the notation of https://platform.openai.com/docs/guides/rate-limits#rate-limits-in-headers. */
function setHeaders(headers: Headers, what: string, { limit, remaining, resetMs }: LimitStanding): void {
  headers.set(`x-ratelimit-limit-${what}`, String(limit));
  headers.set(`x-ratelimit-remaining-${what}`, String(remaining));
  headers.set(`x-ratelimit-reset-${what}`, formatDuration(resetMs));
}
