import type { MiddlewareHandler } from "hono";
import { routePath } from "hono/route";
import { AppError } from "../errors.ts";
import type { Log } from "../log.ts";
import type { HttpContext, HttpEnv } from "./context.ts";
import { errorResponse } from "./error-response.ts";

/**
 * What every request gets, in the one middleware there is: an id, the headers that let a browser read the
 * answer, and a line in the log, which has the route's pattern rather than the path, as paths and queries
 * can carry keys.
 */
export function envelope(log: Log, newId: () => string): MiddlewareHandler<HttpEnv> {
  return async (c, next) => {
    const startedAt = performance.now();
    const requestId = `req_${newId()}`;
    c.set("requestId", requestId);
    await next();
    const { headers } = c.res;
    headers.set("access-control-allow-origin", "*");
    headers.set("access-control-expose-headers", "x-request-id, retry-after");
    headers.set("x-content-type-options", "nosniff");
    headers.set("x-request-id", requestId);
    // Anthropic's SDK looks for this one.
    headers.set("request-id", requestId);
    log.info("request", {
      request_id: requestId,
      method: c.req.method,
      route: routeOf(c),
      status: c.get("upgraded") ? 101 : c.res.status,
      ms: Math.round((performance.now() - startedAt) * 100) / 100,
      user: c.get("user"),
      agent: c.get("agent"),
      model: c.get("model"),
      prompt_tokens: c.get("promptTokens"),
      completion_tokens: c.get("completionTokens"),
      error: c.get("error"),
    });
  };
}

/** Turns whatever a handler threw into an answer. What was not thrown on purpose says nothing of its cause. */
export function onError(log: Log) {
  return (thrown: Error, c: HttpContext): Response => {
    const error = thrown instanceof AppError ? thrown : new AppError("internal", { cause: thrown });
    c.set("error", error.code);
    const cause = error.cause ?? error.detail;
    if (cause !== undefined) {
      const text = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
      log.error("request_failed", { request_id: c.get("requestId"), error: error.code, cause: text });
    }
    return errorResponse(error, c.req.path, c.get("requestId"));
  };
}

/** The first segment of an unknown path helps to find a wrong base URL; the rest might hold a key. */
function routeOf(c: HttpContext): string {
  const pattern = routePath(c, -1);
  if (pattern !== "/*" && pattern !== "*") return pattern;
  const [, first = ""] = c.req.path.split("/");
  return /^[a-z0-9._-]{1,16}$/i.test(first) ? `/${first}…` : "(unknown)";
}
