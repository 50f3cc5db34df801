import type { MiddlewareHandler } from "hono";
import { AppError } from "../../errors.ts";
import { causeOf } from "../../log/log.ts";
import type { HttpContext, HttpDeps, HttpEnv } from "../context.ts";
import { errorResponse } from "../errors/response.ts";
import type { Border } from "./access.ts";
import { EventStreamResponse } from "./event-stream.ts";
import { completeHeaders } from "./headers.ts";
import { logRequest, patternOf } from "./log.ts";
import { readTrace } from "./trace.ts";

/**
 * How long a quiet HTTP connection is kept, one that waits for an answer aside. A request's head, and the first one above
 * all, has some 10 s: the runtime sees to that by itself.
 */
export const IDLE_S = 60;

type EnvelopeDeps = Pick<HttpDeps, "log" | "newId" | "metrics" | "border">;

/**
 * What every request gets, in the one middleware there is: an id, its place in a trace, the headers that let a
 * browser read the answer, its figures, and a line in the log.
 */
export function envelope({ log, newId, metrics, border }: EnvelopeDeps): MiddlewareHandler<HttpEnv> {
  const fail = onError({ log, border });
  return async (c, next) => {
    const startedAt = performance.now();
    const requestId = `req_${newId()}`;
    c.set("requestId", requestId);
    c.set("trace", readTrace(c.req.raw.headers));
    try {
      const leave = cross(c, border);
      await next();
      if (c.res instanceof EventStreamResponse) c.res.stream.beforeClose(leave);
      else leave();
    } catch (thrown) {
      c.res = fail(thrown as Error, c);
    }
    const { headers } = c.res;
    completeHeaders(headers, c.req.raw);
    headers.set("x-request-id", requestId);
    c.get("showLimits")?.(headers);
    // Anthropic's SDK looks for this one.
    headers.set("request-id", requestId);
    const answered = {
      route: patternOf(c),
      status: c.get("upgraded") ? 101 : c.res.status,
      durationMs: performance.now() - startedAt,
    };
    metrics.requested({ ...answered, method: c.req.method });
    logRequest(log, c, answered);
  };
}

/**
 * Lets the request in, or throws an `AppError`. Gives what is to be called once: when the answer is ready or, where
 * it is a stream, before that ends.
 */
function cross(c: HttpContext, border: Border): () => void {
  const request = c.req.raw;
  const { server } = c.env;
  const { address } = border.check(request, server, c.req.path);
  c.set("address", address);
  const leave = border.enter(address);
  // The runtime's limit is for connections that are quiet. Without an answer it would cut off a body that takes longer,
  // and who waits for an agent.
  if (!BODILESS.has(request.method)) server.timeout(request, 0);
  return () => {
    leave();
    // A limit that was lifted for the answer would stay lifted for the connection.
    if (!c.get("upgraded")) server.timeout(request, IDLE_S);
  };
}

const BODILESS: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

/** Turns whatever a handler threw into an answer. What was not thrown on purpose says nothing of its cause. */
export function onError({ log, border }: Pick<HttpDeps, "log" | "border">) {
  return (thrown: Error, c: HttpContext): Response => {
    const met = thrown instanceof AppError ? thrown : new AppError("internal", { cause: thrown });
    const error = border.told(met, c.get("address"));
    c.set("error", error.logAs ?? error.code);
    const cause = error.cause ?? error.detail;
    if (cause !== undefined) {
      log.error("request_failed", {
        request_id: c.get("requestId"),
        error: error.code,
        cause: causeOf(cause),
      });
    }
    return errorResponse(error, c.req.path, c.get("requestId"));
  };
}
