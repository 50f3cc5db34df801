import type { User } from "../../api/types.ts";

/** Returns a user's name or, without a name, the beginning of the id. */
export function labelOf({ name, user_id }: Pick<User, "name" | "user_id">): string {
  return name ?? `${user_id.slice(0, 8)} …`;
}

const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 2 });

/** Returns a user's limits in a few words; “none” if there are none. */
export function limitsText({ requests_per_minute, tokens_per_day, max_parallel }: User): string {
  const parts = [
    requests_per_minute === null ? "" : `${short.format(requests_per_minute)} requests/min`,
    tokens_per_day === null ? "" : `${short.format(tokens_per_day)} tokens/day`,
    max_parallel === null ? "" : `${short.format(max_parallel)} concurrent`,
  ];
  return parts.filter(Boolean).join(", ") || "none";
}
