import type { User } from "../../api/types.ts";

export type UserState = "active" | "disabled" | "expired";

export function stateOf({ disabled_at, expires_at }: User, now: number): UserState {
  if (disabled_at !== null) return "disabled";
  return expires_at !== null && Date.parse(expires_at) <= now ? "expired" : "active";
}

export type UserOrder = "newest" | "oldest" | "name" | "asks" | "expiry";

export interface UserFilter {
  /** Words, each of which has to be in the name or a model, or to begin the id. */
  search: string;
  state: UserState | "all";
  order: UserOrder;
}

/** Those that the filter lets through, in its order. `users` come as they were added, `asksOf` says how many each asked. */
export function selectUsers(
  users: readonly User[],
  { search, state, order }: UserFilter,
  { asksOf, now }: { asksOf: (id: string) => number; now: number },
): User[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const found = users.filter(
    (user) => (state === "all" || stateOf(user, now) === state) && words.every((word) => hasWord(user, word)),
  );
  if (order === "oldest") return found;
  if (order === "newest") return found.reverse();
  if (order === "asks") return found.sort((a, b) => asksOf(b.user_id) - asksOf(a.user_id));
  return found.sort(order === "name" ? byName : byExpiry);
}

/** An id by its beginning only: in the midst of ids there is any short word. */
function hasWord({ name, user_id, models }: User, word: string): boolean {
  if (user_id.toLowerCase().startsWith(word)) return true;
  return [name ?? "", ...(models ?? [])].some((text) => text.toLowerCase().includes(word));
}

const texts = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

/** Those without a name, and those that never expire, come last. */
function byName(a: User, b: User): number {
  if (a.name === null || b.name === null) return Number(a.name === null) - Number(b.name === null);
  return texts.compare(a.name, b.name);
}

function byExpiry(a: User, b: User): number {
  const [one, other] = [a, b].map(({ expires_at }) =>
    expires_at === null ? Infinity : Date.parse(expires_at),
  );
  return one === other ? 0 : (one ?? Infinity) - (other ?? Infinity);
}

/** What people call a user: by the name or, without one, the beginning of the id. */
export function labelOf({ name, user_id }: Pick<User, "name" | "user_id">): string {
  return name ?? `${user_id.slice(0, 8)} …`;
}

const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 2 });

/** In a few words; “none” where a user has no limit. */
export function limitsText({ requests_per_minute, tokens_per_day, max_parallel }: User): string {
  const parts = [
    requests_per_minute === null ? "" : `${short.format(requests_per_minute)} a minute`,
    tokens_per_day === null ? "" : `${short.format(tokens_per_day)} tokens a day`,
    max_parallel === null ? "" : `${short.format(max_parallel)} at once`,
  ];
  return parts.filter(Boolean).join(", ") || "none";
}
