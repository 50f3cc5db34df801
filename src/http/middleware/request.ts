import type { MiddlewareHandler } from "hono";
import { asAppError } from "../../errors.ts";
import { causeOf, type Log } from "../../log/log.ts";
import type { Metrics } from "../../metrics/metrics.ts";
import type { HttpContext, HttpEnv } from "../context.ts";
import { referenceStyle } from "../errors/reference.ts";
import { cutsBody, errorResponse } from "../errors/response.ts";
import type { ErrorStyle } from "../errors/style.ts";
import type { NamedRoute } from "../route.ts";
import type { RouteTable } from "../route-table.ts";
import type { AccessControl } from "./access.ts";
import { EventStreamResponse } from "./event-stream.ts";
import { completeHeaders } from "./headers.ts";
import { lingering } from "./lingering.ts";
import { logRequest, UNKNOWN_ROUTE } from "./log.ts";
import { readTrace } from "./trace.ts";

export interface RequestDeps {
  log: Log;
  newId: () => string;
  metrics: Pick<Metrics, "requestAnswered">;
  accessControl: AccessControl;
  /** The seconds after which an idle connection is closed, as the listener sets them. */
  idleS: number;
  routes: RouteTable;
}

type ErrorDeps = Pick<RequestDeps, "log" | "accessControl" | "routes">;

/**
 * The only middleware, as each costs several microseconds. It gives every request an id, its span in a trace,
 * the checks of access control, the headers of every response, its metrics, and its line in the log.
 */
export function requestMiddleware(deps: RequestDeps): MiddlewareHandler<HttpEnv> {
  const { log, newId, metrics, routes } = deps;
  const fail = onError(deps);
  return async (c, next) => {
    const startedAt = performance.now();
    const requestId = `req_${newId()}`;
    c.set("requestId", requestId);
    c.set("trace", readTrace(c.req.raw.headers));
    const route = routes.find(c.req.method, c.req.path);
    try {
      const leave = admit(c, deps, route ?? routes.nearest(c.req.path));
      await next();
      if (c.res instanceof EventStreamResponse) c.res.stream.beforeClose(leave);
      else leave();
    } catch (thrown) {
      c.res = fail(thrown as Error, c);
    }
    if (c.req.raw.method === "HEAD") await tellLength(c.res);
    const { headers } = c.res;
    completeHeaders(headers, c.req.raw);
    headers.set("x-request-id", requestId);
    c.get("showLimits")?.(headers);
    // Anthropic's SDK reads this one.
    headers.set("request-id", requestId);
    const status = c.get("upgraded") ? 101 : c.res.status;
    const durationMs = performance.now() - startedAt;
    const { method } = c.req;
    metrics.requestAnswered({ method, route: route?.path ?? UNKNOWN_ROUTE, status, durationMs });
    logRequest(log, c, route, status, durationMs);
  };
}

/**
 * Sets the length that the body of a GET has. Without it, the runtime would say 0 for a response to HEAD, as Hono
 * takes the body away.
 */
async function tellLength({ body, headers }: Response): Promise<void> {
  if (body === null || headers.has("content-length")) return;
  let length = 0;
  for await (const piece of body) length += piece.byteLength;
  headers.set("content-length", String(length));
}

/**
 * Admits the request, or throws an `AppError`. `route` is the one that serves it, or the nearest. The
 * returned function must be called once: when the response is ready or, if it is a stream, before that
 * closes.
 */
function admit(c: HttpContext, deps: RequestDeps, route: NamedRoute | undefined): () => void {
  const { accessControl, idleS } = deps;
  const request = c.req.raw;
  const { server } = c.env;
  const { address } = accessControl.check(request, server, route !== undefined && route.access !== "none");
  c.set("address", address);
  const leave = accessControl.enter(address);
  // The runtime's limit is for idle connections. It would cut off a slow body, and a caller who waits for an
  // agent.
  if (!BODILESS.has(request.method)) server.timeout(request, 0);
  return () => {
    leave();
    // A limit that was lifted for this request would stay lifted for the connection.
    if (!c.get("upgraded")) server.timeout(request, idleS);
  };
}

const BODILESS: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

/** Turns what a handler threw into a response. An unexpected error tells the caller nothing of its cause. */
export function onError({ log, accessControl, routes }: ErrorDeps) {
  return (thrown: Error, c: HttpContext): Response => {
    const error = accessControl.limitWrongKeys(asAppError(thrown), c.get("address"));
    c.set("error", error.logAs ?? error.code);
    const cause = error.cause ?? error.detail;
    if (cause !== undefined) {
      const request_id = c.get("requestId");
      log.error("request_failed", { request_id, error: error.code, cause: causeOf(cause) });
    }
    const response = errorResponse(error, styleOf(c, routes), c.get("requestId"));
    return cutsBody(error) ? lingering(c.req.raw, response) : response;
  };
}

/** Returns the error style of the route or, without a route, of the one that the request comes closest to. */
export function styleOf(c: HttpContext, routes: RouteTable): ErrorStyle {
  const { method, path } = c.req;
  const { style, headerStyle } = routes.find(method, path) ?? routes.nearest(path) ?? {};
  if (headerStyle && c.req.raw.headers.has(headerStyle.header)) return headerStyle.style;
  return style ?? referenceStyle;
}
