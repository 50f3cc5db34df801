import type { Hono } from "hono";
import type { HttpContext, HttpDeps, HttpEnv } from "../context.ts";

/** Where agents register. The second path is for agents that cannot send a header of their own. */
export function registerRoutes(app: Hono<HttpEnv>, deps: HttpDeps): void {
  const register = async (c: HttpContext, key: string | undefined) => {
    await deps.register(c.req.raw, c.env.server, key);
    c.set("upgraded", true);
    // The socket is the runtime's from here; this answer goes nowhere.
    return new Response(null);
  };
  app.get("/client/register", (c) => register(c, undefined));
  app.get("/agents/:key/client/register", (c) => register(c, c.req.param("key")));
}
