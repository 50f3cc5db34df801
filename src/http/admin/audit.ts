import type { AuditAction } from "../../audit-actions.ts";
import type { Audit, AuditNote } from "../../auth/audit.ts";
import { csvResponse } from "../csv.ts";
import type { Exchange } from "../exchange.ts";
import { resource, route } from "../route.ts";
import { SAMPLE } from "../values.ts";
import { AuditAnswer, AuditQuery } from "./schema.ts";

const COLUMNS = ["seq", "at", "actor", "action", "target", "detail", "address", "request_id"] as const;

const ROUTES = {
  readAudit: route("GET /admin/audit", {
    access: "adminOrQuery",
    summary: "List what administrators changed, and the tokens that users rotated, newest first",
    description:
      "`next` is the `before` of the next page. With a filter, the newest 5,000 entries before `before` are looked through, so that a page may be empty though there is a next one.",
    query: AuditQuery,
    answers: {
      200: {
        description: "The changes.",
        headers: ["content-disposition"],
        json: AuditAnswer,
        example: {
          audit: [
            {
              ...{ seq: 7, at: SAMPLE.time, actor: "admin", action: "user.add" },
              ...{ target: SAMPLE.userId, detail: { name: "Ann" } },
              ...{ address: "192.0.2.7", request_id: SAMPLE.requestId },
            },
          ],
          next: null,
        },
        other: {
          "text/csv": {
            description: "A line of column names, then a line for each change.",
            example: "seq,at,actor,action,target,detail,address,request_id\r\n",
          },
        },
      },
    },
  }),
};

/** The changes that administrators have made. */
export const auditRoutes = resource("Usage", ROUTES).handledBy(({ audit }: { audit: Audit }) => ({
  async readAudit({ query: { limit, before, format, ...filter } }) {
    const { entries, next } = await audit.list({ limit, before, ...filter });
    const rows = entries.map(({ seq, at, actor, action, target, detail, address, requestId }) => ({
      ...{ seq, at: new Date(at).toISOString(), actor, action, target, detail, address },
      request_id: requestId,
    }));
    if (format === "csv") {
      const cells = rows.map((row) => ({ ...row, detail: row.detail && JSON.stringify(row.detail) }));
      return csvResponse("audit.csv", [COLUMNS, ...cells.map((row) => COLUMNS.map((name) => row[name]))]);
    }
    return { audit: rows, next };
  },
}));

/**
 * Returns the row of the audit for a change that this request makes. `detail` holds names and numbers, never
 * a secret.
 */
export function auditNote(
  { address, requestId }: Exchange,
  action: AuditAction,
  target: string | null,
  detail: Record<string, unknown> | null = null,
): AuditNote {
  return { actor: "admin", action, target, detail, address: address ?? null, requestId };
}
