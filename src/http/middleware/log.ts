import type { Log } from "../../log/log.ts";
import { principalName } from "../../principal.ts";
import type { Exchange } from "../exchange.ts";
import type { NamedRoute } from "../route.ts";

/** Stands for the path of a request without a route. */
export const UNKNOWN_ROUTE = "(unknown)";

/** Logs a request when its response begins, by its route only: paths and queries may hold keys. */
export function logRequest(log: Log, exchange: Exchange, status: number, durationMs: number): void {
  const { request, route, path, trace, principal } = exchange;
  log[levelOf(route, status)]("request", {
    request_id: exchange.requestId,
    client_request_id: plainId(request.headers.get("x-request-id")),
    trace_id: trace?.traceId,
    span_id: trace?.spanId,
    parent_span_id: trace?.parentSpanId,
    address: exchange.address,
    method: request.method,
    route: route?.path ?? firstSegment(path),
    status,
    ms: Math.round(durationMs * 100) / 100,
    user: principal && principalName(principal),
    agent: exchange.agent,
    model: exchange.model,
    input_tokens: exchange.inputTokens,
    output_tokens: exchange.outputTokens,
    error: exchange.error,
  });
}

/** A refused key is always logged at a visible level. */
function levelOf(route: NamedRoute | undefined, status: number): "debug" | "info" | "warn" {
  if (route?.isProbe && status !== 401) return "debug";
  return status >= 500 ? "warn" : "info";
}

/** Returns the caller's own id if it is plain. It helps to find a request, and never replaces ours. */
function plainId(header: string | null): string | undefined {
  return header !== null && /^[\w.:-]{1,64}$/.test(header) ? header : undefined;
}

/** Returns the first segment of an unknown path, to find a wrong base URL. The rest might hold a key. */
function firstSegment(path: string): string {
  const [, first = ""] = path.split("/");
  return /^[a-z0-9._-]{1,16}$/i.test(first) ? `/${first}…` : UNKNOWN_ROUTE;
}
