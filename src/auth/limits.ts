import { AppError } from "../errors.ts";
import { once } from "../once.ts";
import type { Principal } from "../principal.ts";
import { DAY_MS } from "../time.ts";
import type { Allowance } from "./callers.ts";
import { SlidingWindow } from "./sliding-window.ts";

const MINUTE_MS = 60_000;

/** A guess, as nobody knows when a running ask ends. */
const PARALLEL_RETRY_MS = 1_000;

/** The number of users checked at each ask, to forget those whose requests no longer count. */
const FORGOTTEN_PER_ASK = 2;

/** The rate limits of a user. Null means no limit. */
export type UserLimits = Omit<Allowance, "models">;

/** The share that a running ask has of its user's limits. */
export interface Lease {
  /** Returns the share. Calling it again does nothing. */
  end(): void;
}

/** The state of one limit: what is left of it, and until when. */
export interface LimitStanding {
  limit: number;
  remaining: number;
  /** The time until the whole limit is available again. */
  resetMs: number;
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

const UNLIMITED: Lease = { end() {} };

/** Returns the beginning of the UTC day of a time. */
export function startOfDay(at: number): number {
  return at - (((at % DAY_MS) + DAY_MS) % DAY_MS);
}

export type Limits = ReturnType<typeof createLimits>;

/**
 * Counts in this process, so there are no races: nothing here waits. There are no timers either: what no
 * longer counts is dropped when its user asks again, and a little at each ask of anyone. Hand-written,
 * because the limits must be exact and bounded in memory, which rate-limiter-flexible does not promise.
 * `test/auth/limits-model.test.ts` checks them against a model.
 */
export function createLimits({ now, elapsedMs, usedToday }: LimitsOptions) {
  const users = new Map<string, UserState>();
  const tokens = createTokenCount(now, usedToday);
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
    const used = tokensPerDay === null ? 0 : tokens.of(user);
    if (tokensPerDay !== null && used >= tokensPerDay) {
      const reason = `The limit is ${tokensPerDay}, and ${used} were used.`;
      throw limitError("limit_tokens", reason, tokens.resetMs());
    }
    const waitMs = requestsPerMinute === null ? 0 : state.requests.waitMs(at, requestsPerMinute);
    if (waitMs > 0) throw limitError("limit_requests", `The limit is ${requestsPerMinute}.`, waitMs);
    if (maxParallel !== null && state.running >= maxParallel)
      throw limitError("limit_parallel", `The limit is ${maxParallel}.`, PARALLEL_RETRY_MS);
  }

  return {
    /**
     * Admits an ask, or throws an `AppError` with the time to wait: limit_tokens, limit_requests or
     * limit_parallel, in this order, so that the error has the longest wait. A refused ask is not counted.
     */
    admit(principal: Principal, own: UserLimits | null): Lease {
      if (principal.kind === "admin" || own === null || !hasLimit(own)) return UNLIMITED;
      const at = elapsedMs();
      forgetIdle(at);
      const state = stateOf(principal.id);
      checkLimits(principal.id, own, state, at);
      if (own.requestsPerMinute !== null) state.requests.add(at, own.requestsPerMinute);
      state.running++;
      return { end: once(() => void state.running--) };
    },

    /**
     * Counts the tokens of an ask that arrived at `at`, on the UTC day of its arrival. Tokens are known only
     * at the end, so an ask admitted within the limit may end above it. Users without a limit are counted
     * too, so a limit set at noon includes the morning.
     */
    countTokens(principal: Principal, count: number, at: number): void {
      if (principal.kind === "user") tokens.add(principal.id, count, at);
    },

    /** Returns what is left of the limits that the user has. */
    standing(user: string, { requestsPerMinute, tokensPerDay }: UserLimits) {
      const at = elapsedMs();
      const requests = users.get(user)?.requests;
      const used = requests?.count(at) ?? 0;
      const standings: { requests?: LimitStanding; tokens?: LimitStanding } = {};
      if (requestsPerMinute !== null)
        standings.requests = standingOf(requestsPerMinute, used, requests?.resetMs(at) ?? 0);
      if (tokensPerDay !== null)
        standings.tokens = standingOf(tokensPerDay, tokens.of(user), tokens.resetMs());
      return standings;
    },

    /** The number of users whose requests are remembered. */
    get usersKnown() {
      return users.size;
    },
  };
}

function standingOf(limit: number, used: number, resetMs: number): LimitStanding {
  return { limit, remaining: Math.max(0, limit - used), resetMs };
}

function hasLimit({ requestsPerMinute, tokensPerDay, maxParallel }: UserLimits): boolean {
  return requestsPerMinute !== null || tokensPerDay !== null || maxParallel !== null;
}

/** Counts the tokens of the current UTC day. A clock set back to an earlier day starts again at 0. */
function createTokenCount(now: () => number, usedToday: ReadonlyMap<string, number> = new Map()) {
  let day = startOfDay(now());
  const used = new Map(usedToday);
  const today = () => {
    const present = startOfDay(now());
    if (present !== day) used.clear();
    day = present;
    return day;
  };
  return {
    of(user: string): number {
      today();
      return used.get(user) ?? 0;
    },
    add(user: string, tokens: number, at: number): void {
      if (tokens > 0 && startOfDay(at) === today()) used.set(user, (used.get(user) ?? 0) + tokens);
    },
    resetMs: () => today() + DAY_MS - now(),
  };
}

type LimitCode = "limit_requests" | "limit_tokens" | "limit_parallel";

/** Clients parse "try again in" with seconds. A wait longer than clients take is written for people. */
function limitError(code: LimitCode, reason: string, waitMs: number): AppError {
  const retryAfterMs = Math.max(1, Math.ceil(waitMs));
  const wait = retryAfterMs <= MINUTE_MS ? `${retryAfterMs / 1000}s` : formatDuration(retryAfterMs);
  return new AppError(code, { hint: `${reason} Please try again in ${wait}.`, retryAfterMs });
}

/** Writes a time as OpenAI's headers do: `17ms`, `8.64s`, `6m0s`, `1h0m30s`. Rounds up to milliseconds. */
export function formatDuration(ms: number): string {
  const whole = Math.max(0, Math.ceil(ms));
  if (whole > 0 && whole < 1000) return `${whole}ms`;
  const hours = Math.floor(whole / 3_600_000);
  const minutes = Math.floor((whole % 3_600_000) / 60_000);
  const seconds = `${(whole % 60_000) / 1000}s`;
  if (hours > 0) return `${hours}h${minutes}m${seconds}`;
  return minutes > 0 ? `${minutes}m${seconds}` : seconds;
}
