import type { Hono } from "hono";
import type { HttpEnv } from "../context.ts";

/** Says that the process serves; whether it has agents is another question. */
export function healthRoutes(app: Hono<HttpEnv>): void {
  app.get("/health", () => new Response("OK", { headers: { "content-type": "text/plain; charset=utf-8" } }));
}
