import type { User } from "../../api/types.ts";

/** Returns a user's name or, without a name, the beginning of the id. */
export function labelOf(user: Pick<User, "name" | "user_id">): string {
  return user.name ?? shortId(user);
}

/** Returns the beginning of a user's id. */
export const shortId = ({ user_id }: Pick<User, "user_id">) => `${user_id.slice(0, 8)} …`;
