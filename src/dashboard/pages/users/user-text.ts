import { LIMIT_FIELDS, USER_ATTRIBUTES } from "../../../user-attributes.ts";
import type { User } from "../../api/types.ts";

/** Returns a user's name or, without a name, the beginning of the id. */
export function labelOf({ name, user_id }: Pick<User, "name" | "user_id">): string {
  return name ?? `${user_id.slice(0, 8)} …`;
}

const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 2 });

/** Returns a user's limits in a few words, with the priority and the agents; “none” if there are none. */
export function limitsText(user: User): string {
  const parts = LIMIT_FIELDS.flatMap((field) => {
    const limit = user[field];
    return limit === null ? [] : `${short.format(limit)} ${USER_ATTRIBUTES[field].unit}`;
  });
  const { priority, agent_tags: tags } = user;
  if (priority !== null && priority !== "normal") parts.push(`${priority} priority`);
  if (tags) parts.push(`agents with ${tags.join(" or ")}`);
  return parts.join(", ") || "none";
}
