import type { User } from "../../api/types.ts";
import { Name } from "../../components/name.tsx";
import { hrefOf } from "../../state/route.ts";
import { text } from "../../texts/texts.ts";
import { labelOf } from "./user-text.ts";

/** Stands for the admin key where addresses and usage queries have a user's id. */
export const ADMIN_ID = "admin";

/** The name shown for requests with the admin key. */
export const ADMIN_LABEL = text("principal.adminKey");

/** Names and links who made a request: a user, or the admin key if `user` is null. */
export function PrincipalLink({ user }: { user: Pick<User, "user_id" | "name"> | null }) {
  if (!user) return <a href={hrefOf("usage", "", { user: ADMIN_ID })}>{ADMIN_LABEL}</a>;
  const name = labelOf(user);
  return (
    <Name text={name} about={text("principal.id", { id: user.user_id })}>
      <a href={hrefOf("users", user.user_id)}>{name}</a>
    </Name>
  );
}
