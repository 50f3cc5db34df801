import { DAY_MS } from "../time.ts";
import { limitError, RUNNING_RETRY_MS } from "./limit-error.ts";

/** Returns the beginning of the UTC day of a time. */
export function startOfDay(at: number): number {
  return at - (((at % DAY_MS) + DAY_MS) % DAY_MS);
}

/**
 * Counts the tokens that each user has used on the current UTC day, and those that the user's running asks
 * have reserved. A clock set back to an earlier day starts again at 0.
 */
export function createTokenBudget(now: () => number, usedToday: ReadonlyMap<string, number> = new Map()) {
  let day = startOfDay(now());
  let used = new Map(usedToday);
  let reserved = new Map<string, number>();
  const today = () => {
    const present = startOfDay(now());
    if (present !== day) {
      used = new Map();
      // A new map: what asks of an earlier day return does not count on this one.
      reserved = new Map();
    }
    day = present;
    return day;
  };
  const usedBy = (user: string) => {
    today();
    return used.get(user) ?? 0;
  };
  const taken = (user: string) => usedBy(user) + (reserved.get(user) ?? 0);
  const resetMs = () => today() + DAY_MS - now();
  const usedText = (user: string, limit: number) => `The limit is ${limit}, and ${usedBy(user)} were used.`;
  return {
    /** The tokens that are used or reserved. */
    taken,
    resetMs,
    /** Throws an `AppError` limit_tokens if the limit is used up for today. */
    checkUsed(user: string, limit: number): void {
      if (usedBy(user) >= limit) throw limitError("limit_tokens", usedText(user, limit), resetMs());
    },
    /** Throws an `AppError` limit_tokens if the rest of the limit is reserved, which can change any time. */
    checkReserved(user: string, limit: number): void {
      if (taken(user) < limit) return;
      const reason = `${usedText(user, limit)} Running requests have reserved the rest.`;
      throw limitError("limit_tokens", reason, RUNNING_RETRY_MS);
    },
    add(user: string, tokens: number, at: number): void {
      if (tokens > 0 && startOfDay(at) === today()) used.set(user, (used.get(user) ?? 0) + tokens);
    },
    set(user: string, tokens: number): void {
      today();
      used.set(user, tokens);
    },
    /** Reserves tokens, and returns a function that gives them back. Call it once. */
    reserve(user: string, tokens: number): () => void {
      today();
      const map = reserved;
      map.set(user, (map.get(user) ?? 0) + tokens);
      return () => {
        const left = (map.get(user) ?? 0) - tokens;
        if (left > 0) map.set(user, left);
        else map.delete(user);
      };
    },
  };
}
