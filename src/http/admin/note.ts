import type { AuditNote } from "../../auth/audit.ts";
import type { HttpContext } from "../context.ts";

/** The note of a change that this request's administrator asks for. `detail` has names and figures, never a secret. */
export function adminNote(
  c: HttpContext,
  action: string,
  target: string | null,
  detail: Record<string, unknown> | null = null,
): AuditNote {
  return {
    actor: "admin",
    action,
    target,
    detail,
    address: c.get("address") ?? null,
    requestId: c.get("requestId"),
  };
}
