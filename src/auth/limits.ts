import { once } from "../once.ts";
import type { Principal } from "../principal.ts";
import { MINUTE_MS } from "../time.ts";
import type { Allowance } from "./callers.ts";
import { limitError, RUNNING_RETRY_MS } from "./limit-error.ts";
import { SlidingWindow } from "./sliding-window.ts";
import { createTokenBudget } from "./token-budget.ts";

/** The number of users checked at each ask, to forget those whose requests no longer count. */
const FORGOTTEN_PER_ASK = 2;

/** The rate limits of a user. Null means no limit. */
export type UserLimits = Pick<Allowance, "requestsPerMinute" | "tokensPerDay" | "maxParallel">;

/** The share that a running ask has of its user's limits. */
export interface Lease {
  /**
   * Reserves as many tokens as the ask is estimated to need, until the lease ends. A further call adds to
   * them. Throws an `AppError` limit_tokens, or rejects with it if another node decides, if other asks have reserved
   * the rest of the limit since this one was admitted. The estimate is made only if there is a limit.
   */
  reserve(estimate: () => number): void | Promise<void>;
  /** Returns the share. Calling it again does nothing. */
  end(): void;
}

/** The lease of an ask whose limits are counted in this process. */
export interface LocalLease extends Lease {
  reserve(estimate: () => number): void;
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
}

/** The counts of a user that are not of earlier minutes or days, and the time until all of each are. */
export interface LimitCounts {
  requests: number;
  requestsResetMs: number;
  /** Used and reserved ones. */
  tokens: number;
  tokensResetMs: number;
}

/** Counts what users do, and refuses what is above their limits. */
export interface Limits {
  /**
   * Admits an ask, or fails with an `AppError` with the time to wait: limit_tokens, limit_requests or
   * limit_parallel. Returns a promise only if this process does not know the answer.
   */
  admit(principal: Principal, own: UserLimits | null): Lease | Promise<Lease>;
  /**
   * Counts the tokens of an ask that arrived at `at` and ended at `endedAt`, on the UTC day of its arrival. Called
   * before the ask's lease ends.
   */
  countTokens(principal: Principal, count: number, at: number, endedAt: number): void;
  /** Returns what is left of the limits that the user has. Reserved tokens are not left. */
  standing(user: string, own: UserLimits): Standings;
  /** Resolves once `standing` knows the user, where that is kept elsewhere. */
  refresh?(user: string, own: UserLimits): Promise<void> | undefined;
}

interface LimitsOptions {
  /** Milliseconds since 1970, for the days. */
  now: () => number;
  /** Milliseconds of a monotonic clock, for the minutes. */
  elapsedMs: () => number;
  /** The tokens that each user has used on this UTC day. */
  usedToday?: ReadonlyMap<string, number>;
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
export function createLimits({ now, elapsedMs, usedToday }: LimitsOptions) {
  const users = new Map<string, UserState>();
  const tokens = createTokenBudget(now, usedToday);
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
    const { requestsPerMinute, tokensPerDay, maxParallel } = own;
    if (tokensPerDay !== null) tokens.checkUsed(user, tokensPerDay);
    const waitMs = requestsPerMinute === null ? 0 : state.requests.waitMs(at, requestsPerMinute);
    if (waitMs > 0) throw limitError("limit_requests", `The limit is ${requestsPerMinute}.`, waitMs);
    if (tokensPerDay !== null) tokens.checkReserved(user, tokensPerDay);
    if (maxParallel !== null && state.running >= maxParallel)
      throw limitError("limit_parallel", `The limit is ${maxParallel}.`, RUNNING_RETRY_MS);
  }

  function leaseOf(user: string, { tokensPerDay }: UserLimits, state: UserState, reserved = 0): LocalLease {
    const reservation = tokensPerDay === null ? undefined : reservationOf(tokens, user, tokensPerDay);
    if (reserved > 0) reservation?.restore(reserved);
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
      tokens: tokens.taken(user),
      tokensResetMs: tokens.resetMs(),
    };
  }

  return {
    /**
     * Admits an ask, or throws an `AppError` with the time to wait: limit_tokens, limit_requests or
     * limit_parallel, the longest wait first. A refused ask is not counted.
     *
     * An ask is admitted as long as used and reserved tokens together are below the limit, whatever it needs
     * itself: otherwise a limit smaller than one ask could not be used at all. So the tokens of a day exceed
     * the limit by less than one ask, and by what asks use beyond their reservations.
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
     * Counts the tokens of an ask that arrived at `at`, on the UTC day of its arrival. Users without a limit
     * are counted too, so a limit set at noon includes the morning.
     */
    countTokens(principal: Principal, count: number, at: number): void {
      if (principal.kind === "user") tokens.add(principal.id, count, at);
    },

    /** Returns what is left of the limits that the user has. Reserved tokens are not left. */
    standing: (user: string, own: UserLimits): Standings => standingsOf(counts(user), own),

    counts,

    /** The number of users whose requests are remembered. */
    get usersKnown() {
      return users.size;
    },

    ...takingOver({ users, tokens, elapsedMs, stateOf, leaseOf, forgetIdle }),
  };
}

interface Counts {
  users: Map<string, UserState>;
  tokens: ReturnType<typeof createTokenBudget>;
  elapsedMs: () => number;
  stateOf: (user: string) => UserState;
  leaseOf: (user: string, own: UserLimits, state: UserState, reserved: number) => LocalLease;
  forgetIdle: (at: number) => void;
}

/** Returns the functions by which one process takes over what another has counted. They check no limit. */
function takingOver({ users, tokens, elapsedMs, stateOf, leaseOf, forgetIdle }: Counts) {
  return {
    /**
     * Takes over an ask that was admitted elsewhere, with its reserved tokens. `isCounted`: it also counts as a
     * request of this moment.
     */
    adopt(user: string, own: UserLimits, { reserved = 0, isCounted = false } = {}): LocalLease {
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

    /** Replaces the number of tokens that the user has used today. */
    setTokens: (user: string, count: number): void => tokens.set(user, count),
  };
}

/** Returns what one ask reserves of the tokens, nothing at first. */
function reservationOf(tokens: ReturnType<typeof createTokenBudget>, user: string, limit: number) {
  let giveBack: (() => void) | undefined;
  let reserved = 0;
  const end = () => {
    giveBack?.();
    giveBack = undefined;
  };
  return {
    add(estimate: () => number): void {
      // What the ask itself has reserved does not count against it.
      end();
      tokens.checkUsed(user, limit);
      tokens.checkReserved(user, limit);
      reserved += estimate();
      giveBack = tokens.reserve(user, reserved);
    },
    /** Reserves tokens without a check. */
    restore(count: number): void {
      reserved = count;
      giveBack = tokens.reserve(user, reserved);
    },
    end,
  };
}

/** Returns what is left of limits after these counts. */
export function standingsOf(
  { requests, requestsResetMs, tokens, tokensResetMs }: LimitCounts,
  { requestsPerMinute, tokensPerDay }: UserLimits,
): Standings {
  return {
    ...(requestsPerMinute !== null && { requests: standingOf(requestsPerMinute, requests, requestsResetMs) }),
    ...(tokensPerDay !== null && { tokens: standingOf(tokensPerDay, tokens, tokensResetMs) }),
  };
}

function standingOf(limit: number, used: number, resetMs: number): LimitStanding {
  return { limit, remaining: Math.max(0, limit - used), resetMs };
}

/** Whether the user has any limit. */
export function hasLimit({ requestsPerMinute, tokensPerDay, maxParallel }: UserLimits): boolean {
  return requestsPerMinute !== null || tokensPerDay !== null || maxParallel !== null;
}
