import type { Caller } from "../../auth/callers.ts";
import { formatDuration, type LimitStanding, type Limits } from "../../auth/limits.ts";
import type { HttpContext } from "../context.ts";
import { EventStreamResponse } from "./event-stream.ts";

/**
 * Answers a request within its user's limits, or throws as `Limits.admit` does. The request is admitted
 * before its body is read, so a user above their limits costs next to nothing, and a request that then proves
 * faulty counts. Its lease ends with `answer`, or, if that answers with a stream, when the streamed ask has
 * ended.
 */
export async function withinLimits(
  c: HttpContext,
  limits: Limits,
  caller: Caller,
  answer: () => Promise<Response>,
): Promise<Response> {
  showLimits(c, limits, caller);
  const lease = limits.admit(caller.principal, caller.allowance);
  let finished: Promise<void> | undefined;
  try {
    const response = await answer();
    if (response instanceof EventStreamResponse) finished = response.stream.finished;
    return response;
  } finally {
    if (finished) void finished.then(lease.end);
    else lease.end();
  }
}

/** Makes the response, whatever it will be, tell what is left of the user's limits. */
export function showLimits(c: HttpContext, limits: Limits, { principal, allowance }: Caller): void {
  if (principal.kind === "admin" || !allowance) return;
  c.set("showLimits", (headers) => {
    const { requests, tokens } = limits.standing(principal.id, allowance);
    if (requests) setHeaders(headers, "requests", requests);
    if (tokens) setHeaders(headers, "tokens", tokens);
  });
}

/**
 * Uses the names and the notation of
 * https://platform.openai.com/docs/guides/rate-limits#rate-limits-in-headers.
 */
function setHeaders(headers: Headers, what: string, { limit, remaining, resetMs }: LimitStanding): void {
  headers.set(`x-ratelimit-limit-${what}`, String(limit));
  headers.set(`x-ratelimit-remaining-${what}`, String(remaining));
  headers.set(`x-ratelimit-reset-${what}`, formatDuration(resetMs));
}
