import { searchable } from "../../../search-text.ts";
import type { User } from "../../api/types.ts";

export type UserState = "active" | "disabled" | "expired";

export function stateOf({ disabled_at, expires_at }: User, now: number): UserState {
  if (disabled_at !== null) return "disabled";
  return expires_at !== null && Date.parse(expires_at) <= now ? "expired" : "active";
}

export type UserOrder = "newest" | "oldest" | "name" | "requests" | "expiry";

export interface UserFilter {
  /** Words. Each must be part of the name or of a model, or begin the id. */
  search: string;
  state: UserState | "all";
  order: UserOrder;
}

/**
 * Returns the users that match the filter, in its order. `users` are in the order in which they were added.
 * `requestsOf` returns a user's number of requests.
 */
export function selectUsers(
  users: readonly User[],
  { search, state, order }: UserFilter,
  { requestsOf, now }: { requestsOf: (id: string) => number; now: number },
): User[] {
  const words = searchable(search).split(/\s+/).filter(Boolean);
  const found = users.filter(
    (user) => (state === "all" || stateOf(user, now) === state) && words.every((word) => hasWord(user, word)),
  );
  if (order === "oldest") return found;
  if (order === "newest") return found.reverse();
  if (order === "requests") return found.sort((a, b) => requestsOf(b.user_id) - requestsOf(a.user_id));
  return found.sort(order === "name" ? byName : byExpiry);
}

/** Compares only the beginning of ids, because any short word occurs somewhere inside of ids. */
function hasWord({ name, user_id, models }: User, word: string): boolean {
  if (user_id.toLowerCase().startsWith(word)) return true;
  return [name ?? "", ...(models ?? [])].some((text) => searchable(text).includes(word));
}

const texts = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

/** Sorts users without a name last. */
function byName(a: User, b: User): number {
  if (a.name === null || b.name === null) return Number(a.name === null) - Number(b.name === null);
  return texts.compare(a.name, b.name);
}

/** Sorts users that never expire last. */
function byExpiry(a: User, b: User): number {
  const [one, other] = [a, b].map(({ expires_at }) =>
    expires_at === null ? Infinity : Date.parse(expires_at),
  );
  return one === other ? 0 : (one ?? Infinity) - (other ?? Infinity);
}
