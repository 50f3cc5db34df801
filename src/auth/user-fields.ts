import { fieldsOf } from "../user-attributes.ts";
import type { User } from "./users.ts";

/** Returns everything about a user but the token, as it is written in JSON. */
export function describeUser(user: User) {
  const { id, createdAt, disabledAt, token: _, ...attributes } = user;
  return {
    user_id: id,
    created_at: new Date(createdAt).toISOString(),
    disabled_at: disabledAt === null ? null : new Date(disabledAt).toISOString(),
    ...fieldsOf(attributes),
  };
}
