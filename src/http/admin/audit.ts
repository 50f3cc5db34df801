import type { Hono } from "hono";
import { type HttpDeps, type HttpEnv, json } from "../context.ts";
import { toCsv } from "../csv.ts";
import { parseShape } from "../middleware/body.ts";
import { AuditQuery } from "./agents-schema.ts";

const COLUMNS = ["seq", "at", "actor", "action", "target", "detail", "address", "request_id"] as const;

/** What administrators have changed, newest first. */
export function adminAuditRoutes(app: Hono<HttpEnv>, deps: HttpDeps): void {
  app.get("/admin/audit", async (c) => {
    deps.callers.requireAdmin(c.req.raw.headers, c.req.query("admin_key"));
    const { limit, before, format } = parseShape(AuditQuery, c.req.query(), "request_invalid");
    const page = await deps.audit.list({ limit, ...(before !== undefined && { before }) });
    const rows = page.map(({ seq, at, actor, action, target, detail, address, requestId }) => ({
      ...{ seq, at: new Date(at).toISOString(), actor, action, target, detail, address },
      request_id: requestId,
    }));
    if (format === "csv") {
      const cells = rows.map((row) => ({ ...row, detail: row.detail && JSON.stringify(row.detail) }));
      return new Response(toCsv([COLUMNS, ...cells.map((row) => COLUMNS.map((column) => row[column]))]), {
        headers: {
          "content-type": "text/csv; charset=utf-8; header=present",
          "content-disposition": 'attachment; filename="audit.csv"',
        },
      });
    }
    return json({ audit: rows, next: page.length < limit ? null : (page.at(-1)?.seq ?? null) });
  });
}
