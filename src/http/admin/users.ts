import type { Hono } from "hono";
import { attributesOf, describeUser, fieldsOf } from "../../auth/user-fields.ts";
import type { User } from "../../auth/users.ts";
import { type HttpDeps, type HttpEnv, json } from "../context.ts";
import { parseShape } from "../middleware/body.ts";
import { readAdminBody } from "./body.ts";
import { adminNote } from "./note.ts";
import { AddUserBody, DeleteUserBody } from "./schema.ts";

/**
 * The reference's administration of users. The key may be where the reference takes it, in the body or the
 * query, or in `Authorization` or `x-api-key`.
 */
export function userRoutes(app: Hono<HttpEnv>, deps: HttpDeps): void {
  const { audit, callers, users, newId } = deps;

  app.post("/admin/users/add", async (c) => {
    const body = parseShape(AddUserBody, await readAdminBody(c, deps), "body_invalid");
    const attributes = attributesOf(withoutNulls(body));
    const given = fieldsOf(attributes);
    const id = newId();
    const added = await audit.change(adminNote(c, "user.add", id, given), () => users.add(attributes, id));
    return json({ token: added.token, user_id: id, ...given });
  });

  app.post("/admin/users/delete", async (c) => {
    const { user_id } = parseShape(DeleteUserBody, await readAdminBody(c, deps), "body_invalid");
    if (user_id) await audit.change(adminNote(c, "user.delete", user_id), () => users.delete(user_id));
    return json({ message: "User deleted" });
  });

  // They are no ids of users, so another method is refused here as on any other path.
  for (const path of ["/admin/users/add", "/admin/users/delete"]) app.all(path, (c) => c.notFound());

  app.get("/admin/users", async (c) => {
    callers.requireAdmin(c.req.raw.headers, c.req.query("admin_key"));
    const listed = await users.list();
    return json({ users: listed.map(c.req.query("details") === "true" ? withDetails : withToken) });
  });
}

const withToken = ({ id, token }: User) => ({ user_id: id, token });

const withDetails = (user: User) => {
  const { user_id, ...details } = describeUser(user);
  return { user_id, token: user.token, ...details };
};

function withoutNulls<Fields extends object>(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null)) as Fields;
}
