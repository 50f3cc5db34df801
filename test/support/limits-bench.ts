import { createLimits, type Limits, type UserLimits } from "../../src/auth/limits.ts";
import { AppError } from "../../src/errors.ts";
import { userPrincipal } from "../../src/principal.ts";

export const NOON = Date.UTC(2026, 10, 23, 12);
export const NO_LIMITS: UserLimits = { requestsPerMinute: null, tokensPerDay: null, maxParallel: null };

/** Creates limits with two clocks that stand still until they are moved. */
export function limitsBench(usedToday?: ReadonlyMap<string, number>) {
  const clock = { at: NOON, elapsed: 0.25 };
  const make = (used?: ReadonlyMap<string, number>) =>
    createLimits({
      now: () => clock.at,
      elapsedMs: () => clock.elapsed,
      ...(used && { usedToday: used }),
    });
  const pass = (ms: number) => {
    clock.at += ms;
    clock.elapsed += ms;
  };
  return { clock, pass, make, limits: make(usedToday) };
}

/** Returns "ok" with the lease, or the error's code, hint and time to wait. */
export function tryAdmit(limits: Limits, user: string, userLimits: Partial<UserLimits>) {
  try {
    return { outcome: "ok", lease: limits.admit(userPrincipal(user), { ...NO_LIMITS, ...userLimits }) };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { outcome: error.code, waitMs: error.retryAfterMs, hint: error.hint };
  }
}
