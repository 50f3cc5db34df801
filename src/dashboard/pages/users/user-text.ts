import type { User } from "../../api/types.ts";

/** Returns a user's name or, without a name, the beginning of the id. */
export function labelOf({ name, user_id }: Pick<User, "name" | "user_id">): string {
  return name ?? `${user_id.slice(0, 8)} …`;
}
