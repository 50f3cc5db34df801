import type { MiddlewareHandler } from "hono";
import { asAppError } from "../../errors.ts";
import { causeOf, type Log } from "../../log/log.ts";
import type { Metrics } from "../../metrics/metrics.ts";
import type { HttpContext, HttpEnv } from "../context.ts";
import { referenceStyle } from "../errors/reference.ts";
import { errorResponse } from "../errors/response.ts";
import type { ErrorStyle } from "../errors/style.ts";
import type { NamedRoute } from "../route.ts";
import type { RouteTable } from "../route-table.ts";
import type { AccessControl } from "./access.ts";
import { hasUnreadBody } from "./body.ts";
import { EventStreamResponse } from "./event-stream.ts";
import { completeHeaders } from "./headers.ts";
import { BRIEF, lingering, PATIENT } from "./lingering.ts";
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
    const lease = createLease(c, deps);
    try {
      admit(c, deps, route);
      await next();
    } catch (thrown) {
      c.res = fail(thrown as Error, c);
    }
    if (c.req.raw.method === "HEAD") await tellLength(c.res);
    const { headers } = c.res;
    completeHeaders(headers, c.req.raw);
    headers.set("x-request-id", requestId);
    c.get("showLimits")?.(headers);
    c.get("progress")?.setHeaders(headers);
    // Anthropic's SDK reads this one.
    headers.set("request-id", requestId);
    const status = c.get("upgraded") ? 101 : c.res.status;
    const durationMs = performance.now() - startedAt;
    const { method } = c.req;
    metrics.requestAnswered({ method, route: route?.path ?? UNKNOWN_ROUTE, status, durationMs });
    logRequest(log, c, route, status, durationMs);
    finish(c, deps, lease);
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

/** Admits the request, or throws an `AppError`. `route` is the one that serves it. */
function admit(c: HttpContext, deps: RequestDeps, route: NamedRoute | undefined): void {
  const { accessControl, routes } = deps;
  const request = c.req.raw;
  const { address } = accessControl.check(request, c.env.server, kindOf(route ?? routes.nearest(c.req.path)));
  c.set("address", address);
  // The runtime's limit is for idle connections. It would cut off a slow body, and a caller who waits for an
  // agent.
  if (!BODILESS.has(request.method)) c.env.server.timeout(request, 0);
}

const BODILESS: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

function kindOf(route: NamedRoute | undefined): "key" | "probe" | "other" {
  if (!route || (route.access === "none" && !route.isProbe)) return "other";
  return route.access === "none" ? "probe" : "key";
}

/**
 * Lets the request count once its key has proved right. The returned function must be called once: when the
 * response is ready or, if it is a stream, before that closes.
 */
function createLease(c: HttpContext, { accessControl, idleS }: RequestDeps): () => void {
  let leave: (() => void) | undefined;
  c.set("countCaller", () => {
    leave ??= accessControl.enter(c.get("address"));
  });
  return () => {
    leave?.();
    // A limit that was lifted for this request would stay lifted for the connection.
    if (!c.get("upgraded")) c.env.server.timeout(c.req.raw, idleS);
  };
}

/** Ends the lease with the response. After a body that was not read, the connection is closed with care. */
function finish(c: HttpContext, { accessControl }: RequestDeps, lease: () => void): void {
  const { raw } = c.req;
  if (c.res instanceof EventStreamResponse) c.res.stream.beforeClose(lease);
  else if (c.get("upgraded") || !hasUnreadBody(raw)) lease();
  else {
    const isKnown = c.get("principal") !== undefined;
    const { cut, leave } = isKnown ? KNOWN : accessControl.enterAsStranger(c.get("address"), 0);
    const onEnd = () => {
      leave();
      lease();
    };
    const response = lingering(raw, c.res, isKnown ? PATIENT : BRIEF, { cut, onEnd });
    c.res = undefined;
    c.res = response;
  }
}

/** Nobody makes a request with a right key end early. */
const KNOWN = { cut: new AbortController().signal, leave: () => {} };

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
    return errorResponse(error, styleOf(c, routes), c.get("requestId"));
  };
}

/** Returns the error style of the route or, without a route, of the one that the request comes closest to. */
export function styleOf(c: HttpContext, routes: RouteTable): ErrorStyle {
  const { method, path } = c.req;
  const { style, headerStyle } = routes.find(method, path) ?? routes.nearest(path) ?? {};
  if (headerStyle && c.req.raw.headers.has(headerStyle.header)) return headerStyle.style;
  return style ?? referenceStyle;
}
