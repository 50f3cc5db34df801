import {
  createLimits,
  type LocalLease,
  type LocalLimits,
  type UserLimits,
} from "../../src/auth/limits/limits.ts";
import { AppError } from "../../src/errors.ts";
import { userPrincipal } from "../../src/principal.ts";
import type { Spent, UserUse } from "../../src/store/store.ts";

export const NOON = Date.UTC(2026, 10, 23, 12);
export const NO_LIMITS: UserLimits = {
  ...{ requestsPerMinute: null, tokensPerDay: null, maxParallel: null },
  ...{ budgetDayMicros: null, budgetMonthMicros: null },
};

/** Creates limits with two clocks that stand still until they are moved. */
export function limitsBench(usedBefore?: ReadonlyMap<string, UserUse>) {
  const clock = { at: NOON, elapsed: 0.25 };
  const make = (used?: ReadonlyMap<string, UserUse>) =>
    createLimits({
      now: () => clock.at,
      elapsedMs: () => clock.elapsed,
      currency: () => "EUR",
      ...(used && { used }),
    });
  const pass = (ms: number) => {
    clock.at += ms;
    clock.elapsed += ms;
  };
  return { clock, pass, make, limits: make(usedBefore) };
}

interface Outcome {
  /** "ok", or the error's code, which comes with its hint and the time to wait. */
  outcome: string;
  waitMs?: number | undefined;
  hint?: string | undefined;
  lease?: LocalLease | undefined;
}

/** Admits an ask, and returns its lease. */
export function tryAdmit(limits: LocalLimits, user: string, userLimits: Partial<UserLimits>): Outcome {
  return outcomeOf(() => limits.admit(userPrincipal(user), { ...NO_LIMITS, ...userLimits }));
}

/** Reserves tokens, or more, for an admitted ask. */
export function tryReserve(lease: LocalLease, spent: number | Spent): Outcome {
  return outcomeOf(() => {
    lease.reserve(() => (typeof spent === "number" ? { tokens: spent, costNanos: 0 } : spent));
    return undefined;
  });
}

function outcomeOf(act: () => LocalLease | undefined): Outcome {
  try {
    return { outcome: "ok", lease: act() };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { outcome: error.code, waitMs: error.retryAfterMs, hint: error.hint };
  }
}
