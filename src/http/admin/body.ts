import type { HttpContext, HttpDeps } from "../context.ts";
import { parseJson, parseShape, readText } from "../middleware/body.ts";
import { AdminKeyBody } from "./schema.ts";

/** It is read before the key in it can be looked at, so anybody may send one. The longest list of models has less. */
const ADMIN_BODY_BYTES_MAX = 2 * 1024 * 1024;

/**
 * The body of a request that showed the admin key, in a header or in the body itself, or a session; empty where there is none.
 * Throws an `AppError` admin_key_wrong before anything is told about the rest.
 */
export async function readAdminBody(c: HttpContext, deps: HttpDeps): Promise<unknown> {
  const { callers, bodyWithinMs } = deps;
  const bodyBytesMax = Math.min(deps.bodyBytesMax, ADMIN_BODY_BYTES_MAX);
  const request = c.req.raw;
  const { headers } = request;
  const inHeader =
    headers.has("authorization") || headers.has("x-api-key") || callers.hasAdminSession(headers);
  if (inHeader) callers.requireAdmin(headers, undefined);
  const text = await readText(request, { bodyBytesMax, bodyWithinMs });
  const body = text === "" && inHeader ? {} : parseJson(text, "body_invalid");
  const { admin_key } = parseShape(AdminKeyBody, body, "body_invalid");
  callers.requireAdmin(headers, admin_key ?? undefined);
  return body;
}
