import { AMOUNT_FIELDS, LIMIT_FIELDS, USER_ATTRIBUTES } from "../../../user-attributes.ts";
import type { User } from "../../api/types.ts";
import { formatAmount } from "../../format.ts";
import { text } from "../../texts/texts.ts";

const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 2 });

/** Returns a user's limits in a few words, with the priority and the agents; “none” if there are none. */
export function limitsText(user: User, currency: string | null): string {
  const parts = LIMIT_FIELDS.flatMap((field) => {
    const limit = user[field];
    return limit === null ? [] : `${short.format(limit)} ${USER_ATTRIBUTES[field].unit}`;
  });
  for (const field of AMOUNT_FIELDS) {
    const amount = user[field];
    if (amount !== null) parts.push(`${formatAmount(amount, currency)} ${USER_ATTRIBUTES[field].unit}`);
  }
  const { priority, agent_tags: tags } = user;
  if (priority !== null && priority !== "normal") parts.push(text("users.priority", { priority }));
  if (tags) parts.push(text("users.agents", { tags: tags.join(text("users.or")) }));
  return parts.join(", ") || text("users.noLimits");
}
