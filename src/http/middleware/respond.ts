import type { Limits } from "../../auth/limits/limits.ts";
import { asAppError, ERRORS } from "../../errors.ts";
import { causeOf, type Log } from "../../log/log.ts";
import type { Metrics } from "../../metrics/metrics.ts";
import type { RefusalReason } from "../../store/store.ts";
import { referenceStyle } from "../errors/reference.ts";
import { errorResponse } from "../errors/response.ts";
import type { ErrorStyle } from "../errors/style.ts";
import type { Exchange } from "../exchange.ts";
import type { NamedRoute } from "../route-declaration.ts";
import type { RouteTable } from "../route-table.ts";
import { type Refusal, surfaceOf } from "../traffic/refusal.ts";
import { strangePathStyle, unknownPathStyle } from "../unknown-path.ts";
import type { AccessControl } from "./access.ts";
import { hasUnreadBody } from "./body.ts";
import { compress, isCompressible } from "./compression/compress.ts";
import { completeHeaders } from "./headers.ts";
import { setLimitHeaders } from "./limits.ts";
import { BRIEF, lingering, PATIENT } from "./lingering.ts";
import { logRequest, UNKNOWN_ROUTE } from "./log.ts";
import { StreamedResponse } from "./streamed-response.ts";

export interface RespondDeps {
  log: Log;
  metrics: Pick<Metrics, "requestAnswered">;
  /** Is called for each request of a known caller that was refused before it became an ask. */
  noteRefusal: (refusal: Refusal) => void;
  /** Milliseconds since 1970. */
  now: () => number;
  accessControl: AccessControl;
  limits: Limits;
  /** The seconds after which an idle connection is closed, as the listener sets them. */
  idleS: number;
  routes: RouteTable;
}

/** Makes the response, or throws an `AppError`. */
export type Serve = (exchange: Exchange) => Response | Promise<Response>;

/**
 * Returns the function that every request passes through. Around what serves the request there are the checks of
 * access control, the headers of every response, the metrics, and the line in the log.
 */
export function createRespond(deps: RespondDeps) {
  const { log, metrics } = deps;
  return async (exchange: Exchange, serve: Serve): Promise<Response> => {
    const { request, route } = exchange;
    let response: Response;
    try {
      admit(exchange, deps);
      response = await serve(exchange);
    } catch (thrown) {
      response = fail(exchange, thrown, deps);
      countRefusal(exchange, deps);
    }
    if (request.method === "HEAD") await tellLength(response);
    if (isCompressible(route?.access, request.method)) response = await compress(exchange, response);
    setHeaders(exchange, response.headers, deps);
    const status = exchange.isUpgraded ? 101 : response.status;
    const durationMs = performance.now() - exchange.startedAt;
    const { method } = request;
    metrics.requestAnswered({ method, route: route?.path ?? UNKNOWN_ROUTE, status, durationMs });
    logRequest(log, exchange, status, durationMs);
    return finish(exchange, response, deps);
  };
}

/** Admits the request, or throws an `AppError`. */
function admit(exchange: Exchange, { accessControl, routes }: RespondDeps): void {
  const { request, server, path, route } = exchange;
  exchange.address = accessControl.check(request, server, kindOf(route ?? routes.nearest(path))).address;
  // The runtime's limit is for idle connections. It would cut off a slow body, and a caller who waits for an
  // agent.
  if (!BODILESS.has(request.method)) server.timeout(request, 0);
}

const BODILESS: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

function kindOf(route: NamedRoute | undefined): "key" | "probe" | "other" {
  if (!route || (route.access === "none" && !route.isProbe)) return "other";
  return route.access === "none" ? "probe" : "key";
}

/** Turns what was thrown into a response. An unexpected error tells the caller nothing of its cause. */
function fail(exchange: Exchange, thrown: unknown, { log, accessControl, routes }: RespondDeps): Response {
  const { address, requestId } = exchange;
  const error = accessControl.limitWrongKeys(asAppError(thrown), address);
  exchange.error = error.logAs ?? error.code;
  exchange.missingModel = error.model;
  exchange.keyOf = error.keyOf;
  const cause = error.cause ?? error.detail;
  if (cause !== undefined)
    log.error("request_failed", { request_id: requestId, error: error.code, cause: causeOf(cause) });
  return errorResponse(error, styleOf(exchange, routes), requestId);
}

/**
 * Counts a request of a known caller that was refused before it became an ask, also for a key of theirs that is not
 * valid any more. All others that reach an agent, or wait for one, are in the usage.
 */
function countRefusal(exchange: Exchange, { noteRefusal, now }: RespondDeps): void {
  const { route, progress, error, missingModel, principal = exchange.keyOf } = exchange;
  if (route?.limits !== "admit" || !principal || progress.isTaken) return;
  if (isReason(error) && error !== "caller_gone")
    noteRefusal({ principal, reason: error, surface: surfaceOf(route.path), missingModel, at: now() });
}

const isReason = (name: string | undefined): name is RefusalReason =>
  name !== undefined && (name in ERRORS || name === "key_disabled" || name === "key_expired");

/** Returns the error style of the route or, without a route, of the one that the request comes closest to. */
export function styleOf({ request, route, path }: Exchange, routes: RouteTable): ErrorStyle {
  const known = route ?? routes.nearest(path);
  const { style, headerStyle } = known ?? {};
  if (headerStyle && request.headers.has(headerStyle.header)) return headerStyle.style;
  if (route) return style ?? referenceStyle;
  return unknownPathStyle(request, path) ?? style ?? strangePathStyle(path, routes) ?? referenceStyle;
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

function setHeaders(exchange: Exchange, headers: Headers, { limits }: RespondDeps): void {
  const { request, requestId, limited, progress } = exchange;
  completeHeaders(headers, request);
  headers.set("x-request-id", requestId);
  if (limited) setLimitHeaders(headers, limits, limited);
  progress.setHeaders(headers);
  // Anthropic's SDK reads this one.
  headers.set("request-id", requestId);
}

/**
 * Leaves with the response. If that is a stream, leaves right before the stream closes. After a body that was not read,
 * the connection is closed with care.
 */
function finish(exchange: Exchange, response: Response, { accessControl, idleS }: RespondDeps): Response {
  if (response instanceof StreamedResponse) {
    response.stream.beforeClose(() => leave(exchange, idleS));
    return response;
  }
  if (exchange.isUpgraded || !hasUnreadBody(exchange)) {
    leave(exchange, idleS);
    return response;
  }
  const { request, address, principal } = exchange;
  const stranger = principal ? KNOWN : accessControl.enterAsStranger(address, 0);
  const onEnd = () => {
    stranger.leave();
    leave(exchange, idleS);
  };
  return lingering(request, response, principal ? PATIENT : BRIEF, { cut: stranger.cut, onEnd });
}

/** Gives back what the request had of its address and of its connection. */
function leave(exchange: Exchange, idleS: number): void {
  exchange.leave();
  // A limit that was lifted for this request would stay lifted for the connection.
  if (!exchange.isUpgraded) exchange.server.timeout(exchange.request, idleS);
}

/** Nobody makes a request with a right key end early. */
const KNOWN = { cut: new AbortController().signal, leave: () => {} };
