import type { Hono } from "hono";
import { AdminKeyBody, DeleteUserBody } from "../../protocol/admin.ts";
import { parseJson, parseShape, readText } from "../body.ts";
import { type HttpContext, type HttpDeps, type HttpEnv, json } from "../context.ts";

/**
 * The reference's administration of users. The key may be where the reference takes it, in the body or the
 * query, or in `Authorization` or `x-api-key`.
 */
export function userRoutes(app: Hono<HttpEnv>, deps: HttpDeps): void {
  app.post("/admin/users/add", async (c) => {
    await adminBody(c, deps);
    const { token, user_id } = await deps.users.add();
    return json({ token, user_id });
  });

  app.post("/admin/users/delete", async (c) => {
    const { user_id } = parseShape(DeleteUserBody, await adminBody(c, deps), "body_invalid");
    if (user_id) await deps.users.delete(user_id);
    return json({ message: "User deleted" });
  });

  app.get("/admin/users", async (c) => {
    deps.callers.requireAdmin(c.req.raw.headers, c.req.query("admin_key"));
    return json({ users: await deps.users.list() });
  });
}

/** The body of a request that showed the admin key, in a header or in the body itself. */
async function adminBody(c: HttpContext, { callers, bodyBytesMax }: HttpDeps): Promise<unknown> {
  const request = c.req.raw;
  const inHeader = request.headers.has("authorization") || request.headers.has("x-api-key");
  if (inHeader) callers.requireAdmin(request.headers, undefined);
  const text = await readText(request, bodyBytesMax);
  const body = text === "" && inHeader ? {} : parseJson(text, "body_invalid");
  const { admin_key } = parseShape(AdminKeyBody, body, "body_invalid");
  callers.requireAdmin(request.headers, admin_key ?? undefined);
  return body;
}
