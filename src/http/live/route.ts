import type { Hono } from "hono";
import { isOwnOrigin } from "../../auth/same-origin.ts";
import { AppError } from "../../errors.ts";
import { ADMIN } from "../../principal.ts";
import { admitAdmin } from "../admin/admit.ts";
import { type HttpDeps, type HttpEnv, json } from "../context.ts";

/** What goes on: once, and live. */
export function overviewRoutes(app: Hono<HttpEnv>, deps: HttpDeps): void {
  const { callers, figures, live } = deps;

  app.get("/admin/overview", async (c) => {
    admitAdmin(c, deps);
    await figures.prepare();
    return json(figures.overview());
  });

  app.get("/admin/live", (c) => {
    const { raw } = c.req;
    const session = callers.requireAdmin(raw.headers, undefined);
    // Browsers ask nobody before they open a socket to another site.
    if (!isOwnOrigin(raw.headers))
      throw new AppError("admin_key_wrong", {
        logAs: "session_foreign",
        hint: "The live view opens for the server's own pages only.",
      });
    c.set("principal", ADMIN);
    live.upgrade(raw, c.env.server, session);
    c.set("upgraded", true);
    // The socket is the runtime's from here; this answer goes nowhere.
    return new Response(null);
  });
}
