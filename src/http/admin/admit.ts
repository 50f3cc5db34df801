import { ADMIN } from "../../principal.ts";
import type { HttpContext, HttpDeps } from "../context.ts";

/**
 * Lets in who shows the admin key in a header, or an administrator's session; throws an `AppError` admin_key_wrong
 * otherwise. The log says that it was the administrator.
 */
export function admitAdmin(c: HttpContext, { callers }: Pick<HttpDeps, "callers">): void {
  callers.requireAdmin(c.req.raw.headers, undefined);
  c.set("principal", ADMIN);
}
