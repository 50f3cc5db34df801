import type { Hono } from "hono";
import { readBearer } from "../../auth/bearer.ts";
import type { HttpDeps, HttpEnv } from "../context.ts";

/**
 * What is counted, for Prometheus. The figures tell who has which models and how much is asked, so a key is
 * needed: the metrics key where there is one, or the admin key. A session is none: machines collect them.
 */
export function metricsRoutes(app: Hono<HttpEnv>, { callers, metrics, metricsKey }: HttpDeps): void {
  app.get("/metrics", (c) => {
    const { headers } = c.req.raw;
    if (!metricsKey?.matches(readBearer(headers))) callers.requireAdminKey(headers);
    return new Response(metrics.text(), {
      headers: { "content-type": metrics.contentType, "cache-control": "no-store" },
    });
  });
}
