import type { Hono } from "hono";
import { type HttpDeps, type HttpEnv, json } from "../context.ts";
import { admitAdmin } from "./admit.ts";
import { adminNote } from "./note.ts";
import type { SettingsAnswer } from "./server-schema.ts";

/** The server itself: its settings, and a copy of its data. */
export function adminServerRoutes(app: Hono<HttpEnv>, deps: HttpDeps): void {
  const { audit, figures, now, settings, takeBackup, version } = deps;

  app.get("/admin/settings", (c) => {
    admitAdmin(c, deps);
    const started_at = new Date(figures.startedAt).toISOString();
    return json({ version, started_at, settings } satisfies SettingsAnswer);
  });

  app.get("/admin/backup", async (c) => {
    admitAdmin(c, deps);
    const name = `chatgpt-api-server-${new Date(now()).toISOString().slice(0, 10)}.tar`;
    const headers = {
      "content-type": "application/x-tar",
      "content-disposition": `attachment; filename="${name}"`,
    };
    if (c.req.method === "HEAD") return new Response(null, { headers });
    const { signal } = c.req.raw;
    // It may take its time before the first byte.
    c.env.server.timeout(c.req.raw, 0);
    const archive = await audit.change(adminNote(c, "backup", name), () => takeBackup(signal));
    return new Response(archive, { headers });
  });
}
