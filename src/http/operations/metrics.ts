import type { Metrics } from "../../metrics/metrics.ts";
import { okAs, resource, route } from "../route.ts";

const ROUTES = {
  readMetrics: route("GET /metrics", {
    access: "metrics",
    isProbe: true,
    summary: "Read the metrics, for Prometheus",
    answers: okAs("text/plain", "The metrics.", {
      description: "The text format of Prometheus, version 0.0.4.",
      example: "# TYPE process_resident_memory_bytes gauge\n",
    }),
  }),
};

/** Metrics tell who has which models and how much is asked, so they need a key. */
export const metricsRoutes = resource("Operations", ROUTES).handledBy(
  ({ metrics }: { metrics: Metrics }) => ({
    readMetrics: () => new Response(metrics.text(), { headers: { "content-type": metrics.contentType } }),
  }),
);
