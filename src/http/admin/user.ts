import type { Hono } from "hono";
import { attributesOf, describeUser, fieldsOf } from "../../auth/user-fields.ts";
import { AppError } from "../../errors.ts";
import { type HttpContext, type HttpDeps, type HttpEnv, json } from "../context.ts";
import { parseShape } from "../middleware/body.ts";
import { readAdminBody } from "./body.ts";
import { adminNote } from "./note.ts";
import { ChangeUserBody, EmptyAdminBody, RotateUserBody } from "./schema.ts";

/** The administration of one user. The key may be where it may for the reference's routes. */
export function adminUserRoutes(app: Hono<HttpEnv>, deps: HttpDeps): void {
  const { audit, callers, users } = deps;

  const find = async (id: string) => {
    const user = await users.find(id);
    if (!user) throw new AppError("user_unknown");
    return user;
  };

  /** Makes the change, noted, of a user that there is, and answers with how he is then. */
  const change = async (
    c: HttpContext,
    id: string,
    what: { action: string; detail?: Record<string, unknown>; run: () => Promise<boolean> },
  ) => {
    await find(id);
    const note = adminNote(c, what.action, id, what.detail ?? null);
    if (!(await audit.change(note, what.run))) throw new AppError("user_unknown");
    return json(describeUser(await find(id)));
  };

  app.get("/admin/users/:id", async (c) => {
    callers.requireAdmin(c.req.raw.headers, c.req.query("admin_key"));
    return json(describeUser(await find(c.req.param("id"))));
  });

  app.patch("/admin/users/:id", async (c) => {
    const { admin_key: _, ...fields } = parseShape(
      ChangeUserBody,
      await readAdminBody(c, deps),
      "body_invalid",
    );
    const id = c.req.param("id");
    const changes = attributesOf(fields);
    if (Object.keys(changes).length === 0) return json(describeUser(await find(id)));
    return change(c, id, {
      action: "user.change",
      detail: fieldsOf(changes),
      run: () => users.change(id, changes),
    });
  });

  app.delete("/admin/users/:id", async (c) => {
    parseShape(EmptyAdminBody, await readAdminBody(c, deps), "body_invalid");
    const { id } = await find(c.req.param("id"));
    await audit.change(adminNote(c, "user.delete", id), () => users.delete(id));
    return json({ message: "User deleted" });
  });

  for (const action of ["disable", "enable"] as const) {
    app.post(`/admin/users/:id/${action}`, async (c) => {
      parseShape(EmptyAdminBody, await readAdminBody(c, deps), "body_invalid");
      const id = c.req.param("id");
      return change(c, id, { action: `user.${action}`, run: () => users[action](id) });
    });
  }

  app.post("/admin/users/:id/rotate", async (c) => {
    const body = parseShape(RotateUserBody, await readAdminBody(c, deps), "body_invalid");
    const { id } = await find(c.req.param("id"));
    const grace_seconds = body.grace_seconds ?? 0;
    const note = adminNote(c, "user.rotate", id, { grace_seconds });
    const token = await audit.change(note, () => users.rotate(id, grace_seconds * 1000));
    if (token === false) throw new AppError("user_unknown");
    return json({ token, user_id: id });
  });
}
