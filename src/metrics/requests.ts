import { OTHER, type Registry } from "./registry.ts";

/** An HTTP request whose response has at least begun. */
export interface RequestRecord {
  /** The route's pattern, never the path, which callers can invent. */
  route: string;
  method: string;
  status: number;
  durationMs: number;
}

const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);
const BUCKETS_S = [0.001, 0.005, 0.02, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 600];

/** Returns a function that counts an HTTP request. */
export function createRequestMetrics(registry: Registry): (record: RequestRecord) => void {
  const requests = registry.counter({
    name: "chatgpt_api_http_requests_total",
    help: "HTTP requests, by the route's pattern, method and status.",
    labels: ["route", "method", "status"],
  });
  const duration = registry.histogram({
    name: "chatgpt_api_http_request_duration_seconds",
    help: "Time from the arrival of an HTTP request to the start of its response.",
    labels: ["route", "method"],
    buckets: BUCKETS_S,
  });
  return ({ route, method, status, durationMs }) => {
    const known = METHODS.has(method) ? method : OTHER;
    requests(route, known, String(status)).inc();
    duration(route, known).observe(durationMs / 1000);
  };
}
