import type { User } from "../../api/types.ts";
import { hrefOf } from "../../state/route.ts";
import { labelOf } from "./user-text.ts";

/** What stands for the admin key in the place of a user's id, in addresses and usage queries. */
export const ADMIN_ID = "admin";

/** What people call the holder of the admin key. */
export const ADMIN_LABEL = "admin key";

/** Names and links who made a request: a user, or the admin key if `user` is null. */
export function PrincipalLink({ user }: { user: Pick<User, "user_id" | "name"> | null }) {
  if (!user) return <a href={hrefOf("usage", "", { user: ADMIN_ID })}>{ADMIN_LABEL}</a>;
  return <a href={hrefOf("users", user.user_id)}>{labelOf(user)}</a>;
}
