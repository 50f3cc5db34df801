import { MINUTE_MS } from "../../durations.ts";
import { once } from "../../once.ts";
import { NANOS_PER_MICRO } from "../../prices/money.ts";
import type { Principal } from "../../principal.ts";
import type { Spent, UserUse } from "../../store/store.ts";
import type { Allowance } from "../callers.ts";
import { limitError, RUNNING_RETRY_MS } from "./limit-error.ts";
import { SlidingWindow } from "./sliding-window.ts";
import { type BudgetCounts, hasBudget, UserBudgets, type UserBudgetsOptions } from "./user-budgets.ts";

/** The number of users checked at each ask, to forget those whose requests no longer count. */
const FORGOTTEN_PER_ASK = 2;

/** The limits of a user. Null means no limit. */
export type UserLimits = Pick<
  Allowance,
  "requestsPerMinute" | "tokensPerDay" | "maxParallel" | "budgetDayMicros" | "budgetMonthMicros"
>;

/** The share that a running ask has of its user's limits. */
export interface Lease {
  /**
   * Reserves what the ask is estimated to use, until the lease ends. A further call adds to it. Throws an `AppError`
   * limit_tokens or limit_budget_reserved, or rejects with it if another node decides, if other asks have reserved the rest
   * of the limit since this one was admitted, and that of a used up budget if they have used it. The estimate is made only if there is a limit.
   */
  reserve(estimate: () => Spent): void | Promise<void>;
  /** Returns the share. Calling it again does nothing. */
  end(): void;
}

/** The lease of an ask whose limits are counted in this process. */
export interface LocalLease extends Lease {
  reserve(estimate: () => Spent): void;
}

/** The state of one limit: what is left of it, and until when. */
export interface LimitStanding {
  limit: number;
  remaining: number;
  /** The time until the whole limit is available again. */
  resetMs: number;
}

/** The state of the limits that a user has. */
export interface Standings {
  requests?: LimitStanding;
  tokens?: LimitStanding;
  /** In nanos, billionths of the currency's unit. */
  budgetDay?: LimitStanding;
  budgetMonth?: LimitStanding;
}

/** The counts of a user that are not of earlier minutes, days or months, and the time until all of each are. */
export interface LimitCounts extends BudgetCounts {
  requests: number;
  requestsResetMs: number;
}

/** Counts what users do, and refuses what is above their limits. */
export interface Limits {
  /**
   * Admits an ask, or fails with an `AppError` with the time to wait: limit_budget_month, limit_budget_day, limit_tokens,
   * limit_requests, limit_budget_reserved or limit_parallel. Returns a promise only if this process does not know the answer.
   */
  admit(principal: Principal, own: UserLimits | null): Lease | Promise<Lease>;
  /**
   * Counts what an ask used that arrived at `at` and ended at `endedAt`, on the UTC day of its arrival. Called before
   * the ask's lease ends.
   */
  countSpent(principal: Principal, spent: Spent, at: number, endedAt: number): void;
  /** Returns what is left of the limits that the user has. What is reserved is not left. */
  standing(user: string, own: UserLimits): Standings;
  /** Resolves once `standing` knows the user, where that is kept elsewhere. */
  refresh?(user: string, own: UserLimits): Promise<void> | undefined;
}

/** `now` is for the days and months. */
export interface LimitsOptions extends UserBudgetsOptions {
  /** Milliseconds of a monotonic clock, for the minutes. */
  elapsedMs: () => number;
}

interface UserState {
  requests: SlidingWindow;
  running: number;
}

export const UNLIMITED: LocalLease = { reserve() {}, end() {} };

/** The limits of users that are counted in this process. */
export type LocalLimits = ReturnType<typeof createLimits>;

/**
 * Counts in this process, so there are no races: nothing here waits. There are no timers either: what no
 * longer counts is dropped when its user asks again, and a little at each ask of anyone. Hand-written,
 * because the limits must be exact and bounded in memory, which rate-limiter-flexible does not promise.
 * `test/auth/limits-model.test.ts` checks them against a model.
 */
export function createLimits({ elapsedMs, ...options }: LimitsOptions) {
  const users = new Map<string, UserState>();
  const budgets = new UserBudgets(options);
  let walk = users.entries();

  function forgetIdle(at: number): void {
    for (let looked = 0; looked < FORGOTTEN_PER_ASK; looked++) {
      const next = walk.next();
      if (next.done) {
        walk = users.entries();
        return;
      }
      const [user, { running, requests }] = next.value;
      if (running === 0 && requests.count(at) === 0) users.delete(user);
    }
  }

  function stateOf(user: string): UserState {
    const known = users.get(user);
    if (known) return known;
    const fresh = { requests: new SlidingWindow(MINUTE_MS), running: 0 };
    users.set(user, fresh);
    return fresh;
  }

  function checkLimits(user: string, own: UserLimits, state: UserState, at: number): void {
    const { requestsPerMinute, maxParallel } = own;
    budgets.checkUsed(user, own);
    const waitMs = requestsPerMinute === null ? 0 : state.requests.waitMs(at, requestsPerMinute);
    if (waitMs > 0) throw limitError("limit_requests", `The limit is ${requestsPerMinute}.`, waitMs);
    budgets.checkReserved(user, own);
    if (maxParallel !== null && state.running >= maxParallel)
      throw limitError("limit_parallel", `The limit is ${maxParallel}.`, RUNNING_RETRY_MS);
  }

  function leaseOf(user: string, own: UserLimits, state: UserState, reserved?: Spent): LocalLease {
    const reservation = budgets.reservationOf(user, own);
    if (reserved) reservation?.restore(reserved);
    state.running++;
    return {
      reserve: (estimate) => reservation?.add(estimate),
      end: once(() => {
        state.running--;
        reservation?.end();
      }),
    };
  }

  function counts(user: string): LimitCounts {
    const at = elapsedMs();
    const requests = users.get(user)?.requests;
    return {
      requests: requests?.count(at) ?? 0,
      requestsResetMs: requests?.resetMs(at) ?? 0,
      ...budgets.counts(user),
    };
  }

  return {
    /**
     * Admits an ask, or throws an `AppError` with the time to wait: limit_budget_month, limit_budget_day, limit_tokens,
     * limit_requests, limit_budget_reserved or limit_parallel, the longest wait first. A refused ask is not counted.
     *
     * An ask is admitted as long as what is used and reserved together is below the limit, whatever it needs
     * itself: otherwise a limit smaller than one ask could not be used at all. So what is used exceeds the limit
     * by less than one ask, and by what asks use beyond their reservations.
     */
    admit(principal: Principal, own: UserLimits | null): LocalLease {
      if (principal.kind === "admin" || own === null || !hasLimit(own)) return UNLIMITED;
      const at = elapsedMs();
      forgetIdle(at);
      const state = stateOf(principal.id);
      checkLimits(principal.id, own, state, at);
      if (own.requestsPerMinute !== null) state.requests.add(at, own.requestsPerMinute);
      return leaseOf(principal.id, own, state);
    },

    /**
     * Counts what an ask used that arrived at `at`, on the UTC day of its arrival. Users without a limit are
     * counted too, so a limit set at noon includes the morning.
     */
    countSpent(principal: Principal, spent: Spent, at: number): void {
      if (principal.kind === "user") budgets.add(principal.id, spent, at);
    },

    /** Returns what is left of the limits that the user has. What is reserved is not left. */
    standing: (user: string, own: UserLimits): Standings => standingsOf(counts(user), own),

    counts,

    /** The number of users whose requests are remembered. */
    get usersKnown() {
      return users.size;
    },

    ...takingOver({ users, budgets, elapsedMs, stateOf, leaseOf, forgetIdle }),
  };
}

interface Counts {
  users: Map<string, UserState>;
  budgets: UserBudgets;
  elapsedMs: () => number;
  stateOf: (user: string) => UserState;
  leaseOf: (user: string, own: UserLimits, state: UserState, reserved?: Spent) => LocalLease;
  forgetIdle: (at: number) => void;
}

/** Returns the functions by which one process takes over what another has counted. They check no limit. */
function takingOver({ users, budgets, elapsedMs, stateOf, leaseOf, forgetIdle }: Counts) {
  return {
    /**
     * Takes over an ask that was admitted elsewhere, with what it has reserved. `isCounted`: it also counts as a
     * request of this moment.
     */
    adopt(
      user: string,
      own: UserLimits,
      { reserved, isCounted = false }: { reserved?: Spent; isCounted?: boolean } = {},
    ): LocalLease {
      const at = elapsedMs();
      forgetIdle(at);
      const state = stateOf(user);
      state.requests.count(at);
      if (isCounted && own.requestsPerMinute !== null) state.requests.add(at, own.requestsPerMinute);
      return leaseOf(user, own, state, reserved);
    },

    /** The ids of the users whose requests are remembered. */
    users: () => users.keys(),

    /** Returns the ages in milliseconds of the user's requests within the minute, oldest first. */
    requestAges: (user: string): number[] => users.get(user)?.requests.ages(elapsedMs()) ?? [],

    /** Adds requests that were counted elsewhere, by their ages in milliseconds. */
    addRequests(user: string, agesMs: readonly number[]): void {
      const at = elapsedMs();
      forgetIdle(at);
      stateOf(user).requests.merge(at, agesMs);
    },

    /** Forgets the requests of the user, but not what runs. */
    forgetRequests(user: string): void {
      const state = users.get(user);
      if (state) state.requests = new SlidingWindow(MINUTE_MS);
    },

    /** Replaces what the user has used on this day and in this month. */
    setUsed: (user: string, use: UserUse): void => budgets.set(user, use),
  };
}

/** Returns what is left of limits after these counts. */
export function standingsOf(counts: LimitCounts, own: UserLimits): Standings {
  const { requestsPerMinute, tokensPerDay, budgetDayMicros, budgetMonthMicros } = own;
  const { requests, requestsResetMs, tokens, dayNanos, dayResetMs, monthNanos, monthResetMs } = counts;
  const money = (micros: number, spent: number, resetMs: number) =>
    standingOf(micros * NANOS_PER_MICRO, spent, resetMs);
  return {
    ...(requestsPerMinute !== null && { requests: standingOf(requestsPerMinute, requests, requestsResetMs) }),
    ...(tokensPerDay !== null && { tokens: standingOf(tokensPerDay, tokens, dayResetMs) }),
    ...(budgetDayMicros !== null && { budgetDay: money(budgetDayMicros, dayNanos, dayResetMs) }),
    ...(budgetMonthMicros !== null && { budgetMonth: money(budgetMonthMicros, monthNanos, monthResetMs) }),
  };
}

function standingOf(limit: number, used: number, resetMs: number): LimitStanding {
  return { limit, remaining: Math.max(0, limit - used), resetMs };
}

/** Whether the user has any limit. */
export function hasLimit(own: UserLimits): boolean {
  return own.requestsPerMinute !== null || own.maxParallel !== null || hasBudget(own);
}
