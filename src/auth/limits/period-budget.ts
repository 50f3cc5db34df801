import { DAY_MS } from "../../durations.ts";
import { type LimitCode, limitError, RUNNING_RETRY_MS } from "./limit-error.ts";

/** A division of time in UTC, such as days. Times are milliseconds since 1970. */
export interface Period {
  /** Returns the beginning of the period that has this time. */
  startOf(at: number): number;
  /** Returns the end of the period that begins at `start`. */
  endOf(start: number): number;
}

/** Returns the beginning of the UTC day of a time. */
export function startOfDay(at: number): number {
  return at - (((at % DAY_MS) + DAY_MS) % DAY_MS);
}

/** Returns the beginning of the calendar month of a time, in UTC. */
export function startOfMonth(at: number): number {
  const date = new Date(at);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth());
}

export const DAY: Period = { startOf: startOfDay, endOf: (start) => start + DAY_MS };
/** No month has 32 days, and each has more than 4. */
export const MONTH: Period = { startOf: startOfMonth, endOf: (start) => startOfMonth(start + 32 * DAY_MS) };

interface BudgetOptions {
  period: Period;
  /** Milliseconds since 1970. */
  now: () => number;
  code: LimitCode;
  /** The code while the rest is reserved. Default: `code`. */
  reservedCode?: LimitCode;
  /** Says what the limit is, and how much of it is used up. */
  usedText: (limit: number, used: number, resetAt: number) => string;
  /** The use of each user in this period. */
  used?: Iterable<readonly [user: string, amount: number]> | undefined;
}

export type PeriodBudget = ReturnType<typeof createPeriodBudget>;

/**
 * Counts what each user has used in the current period, and what the user's running asks have reserved. Amounts are
 * whole numbers. A clock set back to an earlier period starts again at 0.
 */
export function createPeriodBudget(options: BudgetOptions) {
  const { period, now, code, reservedCode = code, usedText, used: usedBefore = [] } = options;
  let start = period.startOf(now());
  let end = period.endOf(start);
  let used = new Map(usedBefore);
  let reserved = new Map<string, number>();
  const current = () => {
    const at = now();
    if (at >= start && at < end) return start;
    start = period.startOf(at);
    end = period.endOf(start);
    used = new Map();
    // A new map: what asks of an earlier period return does not count in this one.
    reserved = new Map();
    return start;
  };
  const usedBy = (user: string) => {
    current();
    return used.get(user) ?? 0;
  };
  const taken = (user: string) => usedBy(user) + (reserved.get(user) ?? 0);
  const resetMs = () => {
    current();
    return end - now();
  };
  const textOf = (user: string, limit: number) => usedText(limit, usedBy(user), end);
  return {
    /** Returns the used and the reserved amount together. */
    taken,
    /** Returns the used amount. */
    used: usedBy,
    resetMs,
    /** Throws an `AppError` with the code of the budget if the limit is used up for this period. */
    checkUsed(user: string, limit: number): void {
      if (usedBy(user) >= limit) throw limitError(code, textOf(user, limit), resetMs());
    },
    /** Throws an `AppError` with `reservedCode` if the rest of the limit is reserved, which can change any time. */
    checkReserved(user: string, limit: number): void {
      if (taken(user) < limit) return;
      const reason = textOf(user, limit);
      // A code of its own says it.
      const reserved = reservedCode === code ? " Running requests have reserved the rest." : "";
      throw limitError(reservedCode, `${reason}${reserved}`, RUNNING_RETRY_MS);
    },
    add(user: string, amount: number, at: number): void {
      if (amount > 0 && period.startOf(at) === current()) used.set(user, (used.get(user) ?? 0) + amount);
    },
    set(user: string, amount: number): void {
      current();
      used.set(user, amount);
    },
    /** Reserves an amount, and returns a function that gives it back. Call it once. */
    reserve(user: string, amount: number): () => void {
      current();
      const map = reserved;
      map.set(user, (map.get(user) ?? 0) + amount);
      return () => {
        const left = (map.get(user) ?? 0) - amount;
        if (left > 0) map.set(user, left);
        else map.delete(user);
      };
    },
  };
}
