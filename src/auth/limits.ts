import { AppError } from "../errors.ts";
import type { Principal } from "../principal.ts";
import { DAY_MS } from "../time.ts";
import type { Allowance } from "./callers.ts";
import { SlidingWindow } from "./sliding-window.ts";

const MINUTE_MS = 60_000;

/** Nobody knows when one of the running asks ends. */
const PARALLEL_RETRY_MS = 1_000;

/** Users looked at for each ask, to forget those who have nothing that counts any more. */
const FORGOTTEN_PER_ASK = 2;

/** What a user may do; null is no limit. */
export type Limited = Omit<Allowance, "models">;

/** Room for one ask. */
export interface Lease {
  /** Gives the room back; calling it again does nothing. */
  end(): void;
}

export interface LimitStanding {
  limit: number;
  remaining: number;
  /** How long until all of the limit is there again. */
  resetMs: number;
}

export interface Limits {
  /**
   * Lets an ask begin, or throws an `AppError` with the time after which it may: limit_tokens, limit_requests,
   * limit_parallel, in this order, so that the longest wait is told. A refused ask counts for nothing.
   */
  admit(principal: Principal, limited: Limited | null): Lease;
  /**
   * Adds the tokens of an ask that came at `at`, to the UTC day on which it came. Tokens are known only at the end,
   * so an ask that begins within the limit may end above it. Every user's are counted: a limit that is set at noon
   * takes the morning into account.
   */
  countTokens(principal: Principal, tokens: number, at: number): void;
  /** How the user stands with the limits that he has. */
  standing(user: string, limited: Limited): { requests?: LimitStanding; tokens?: LimitStanding };
  /** How many users something is remembered of, beside their tokens. */
  readonly usersKnown: number;
}

interface LimitsOptions {
  /** Milliseconds since 1970, for the days. */
  now: () => number;
  /** Milliseconds of a clock that nobody sets, for the minutes. */
  elapsedMs: () => number;
  /** The tokens that each user has used since the UTC day began. */
  usedToday?: ReadonlyMap<string, number>;
}

interface UserState {
  requests: SlidingWindow;
  running: number;
}

const UNLIMITED: Lease = { end() {} };

/** The beginning of the UTC day of a moment. */
export function startOfDay(at: number): number {
  return at - (((at % DAY_MS) + DAY_MS) % DAY_MS);
}

/**
 * Counts in this process, and so without races: nothing here waits. It has no timers; what no longer counts is
 * dropped when the user asks again, or a little with each ask of anybody.
 */
export function createLimits({ now, elapsedMs, usedToday }: LimitsOptions): Limits {
  const users = new Map<string, UserState>();
  const tokens = createDayCount(now, usedToday);
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

  function refusalOf(user: string, limited: Limited, state: UserState, at: number): AppError | undefined {
    const { requestsPerMinute, tokensPerDay, maxParallel } = limited;
    const used = tokensPerDay === null ? 0 : tokens.of(user);
    if (tokensPerDay !== null && used >= tokensPerDay)
      return refusal(
        "limit_tokens",
        `The limit is ${tokensPerDay}, and ${used} were used.`,
        tokens.resetMs(),
      );
    const waitMs = requestsPerMinute === null ? 0 : state.requests.waitMs(at, requestsPerMinute);
    if (waitMs > 0) return refusal("limit_requests", `The limit is ${requestsPerMinute}.`, waitMs);
    if (maxParallel !== null && state.running >= maxParallel)
      return refusal("limit_parallel", `The limit is ${maxParallel}.`, PARALLEL_RETRY_MS);
    return undefined;
  }

  return {
    admit(principal, limited) {
      if (principal.kind === "admin" || limited === null || !hasLimit(limited)) return UNLIMITED;
      const at = elapsedMs();
      forgetIdle(at);
      const state = stateOf(principal.id);
      const refused = refusalOf(principal.id, limited, state, at);
      if (refused) throw refused;
      if (limited.requestsPerMinute !== null) state.requests.add(at, limited.requestsPerMinute);
      return createLease(state);
    },

    countTokens(principal, count, at) {
      if (principal.kind === "user") tokens.add(principal.id, count, at);
    },

    standing(user, { requestsPerMinute, tokensPerDay }) {
      const at = elapsedMs();
      const requests = users.get(user)?.requests;
      return {
        ...(requestsPerMinute !== null && {
          requests: {
            limit: requestsPerMinute,
            remaining: Math.max(0, requestsPerMinute - (requests?.count(at) ?? 0)),
            resetMs: requests?.resetMs(at) ?? 0,
          },
        }),
        ...(tokensPerDay !== null && {
          tokens: {
            limit: tokensPerDay,
            remaining: Math.max(0, tokensPerDay - tokens.of(user)),
            resetMs: tokens.resetMs(),
          },
        }),
      };
    },

    get usersKnown() {
      return users.size;
    },
  };
}

function hasLimit({ requestsPerMinute, tokensPerDay, maxParallel }: Limited): boolean {
  return requestsPerMinute !== null || tokensPerDay !== null || maxParallel !== null;
}

function createLease(state: UserState): Lease {
  let held = true;
  state.running++;
  return {
    end() {
      if (held) state.running--;
      held = false;
    },
  };
}

/** The tokens of the present UTC day. What a clock that is set back brings again begins anew. */
function createDayCount(now: () => number, usedToday: ReadonlyMap<string, number> = new Map()) {
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

/** Clients look for "try again in" and a figure in seconds; what lasts longer than they wait is for people. */
function refusal(
  code: "limit_requests" | "limit_tokens" | "limit_parallel",
  limit: string,
  waitMs: number,
): AppError {
  const retryAfterMs = Math.max(1, Math.ceil(waitMs));
  const wait = retryAfterMs <= MINUTE_MS ? `${retryAfterMs / 1000}s` : formatDuration(retryAfterMs);
  return new AppError(code, { hint: `${limit} Please try again in ${wait}.`, retryAfterMs });
}

/** Writes a time as OpenAI does in its headers: `17ms`, `8.64s`, `6m0s`, `1h0m30s`. Rounds up to milliseconds. */
export function formatDuration(ms: number): string {
  const whole = Math.max(0, Math.ceil(ms));
  if (whole > 0 && whole < 1000) return `${whole}ms`;
  const hours = Math.floor(whole / 3_600_000);
  const minutes = Math.floor((whole % 3_600_000) / 60_000);
  const seconds = `${(whole % 60_000) / 1000}s`;
  if (hours > 0) return `${hours}h${minutes}m${seconds}`;
  return minutes > 0 ? `${minutes}m${seconds}` : seconds;
}
