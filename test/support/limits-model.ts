import type { UserLimits } from "../../src/auth/limits/limits.ts";
import { DAY_MS } from "../../src/durations.ts";
import type { Spent, UserUse } from "../../src/store/store.ts";

export interface RunningAsk {
  user: string;
  /** The user's limits when it was admitted. */
  userLimits: UserLimits;
  reserved: Spent & { at: number };
}

/** The limits of periods as simply as possible: the period of a time in words, and where the next one begins. */
const PERIODS = [
  {
    ...({
      code: "limit_budget_month",
      reserved: "limit_budget_reserved",
      unit: "costNanos",
      digits: 7,
      scale: 1000,
    } as const),
    limitOf: ({ budgetMonthMicros }: UserLimits) => budgetMonthMicros,
    next: (at: number) => Date.UTC(new Date(at).getUTCFullYear(), new Date(at).getUTCMonth() + 1),
  },
  {
    ...({
      code: "limit_budget_day",
      reserved: "limit_budget_reserved",
      unit: "costNanos",
      digits: 10,
      scale: 1000,
    } as const),
    limitOf: ({ budgetDayMicros }: UserLimits) => budgetDayMicros,
    next: (at: number) => (Math.floor(at / DAY_MS) + 1) * DAY_MS,
  },
  {
    ...({ code: "limit_tokens", reserved: "limit_tokens", unit: "tokens", digits: 10, scale: 1 } as const),
    limitOf: ({ tokensPerDay }: UserLimits) => tokensPerDay,
    next: (at: number) => (Math.floor(at / DAY_MS) + 1) * DAY_MS,
  },
];
type Period = (typeof PERIODS)[number];
/** Returns the period of a time, such as `2026-11`. */
const nameOf = ({ digits }: Period, at: number) => new Date(at).toISOString().slice(0, digits);

/** The limits as simply as possible: everything is kept, and counted again each time. */
export function createLimitsModel() {
  let passes: { user: string; at: number }[] = [];
  /** Sums by user and period. */
  const counted = new Map<string, number>();
  let running: RunningAsk[] = [];
  const keyOf = (period: Period, user: string, at: number) => `${period.code} ${user} ${nameOf(period, at)}`;
  const usedIn = (period: Period, user: string, at: number) => counted.get(keyOf(period, user, at)) ?? 0;
  const reservedIn = (period: Period, user: string, at: number) =>
    running
      .filter((ask) => ask.user === user && period.limitOf(ask.userLimits) !== null)
      .filter((ask) => nameOf(period, ask.reserved.at) === nameOf(period, at))
      .reduce((sum, { reserved }) => sum + reserved[period.unit], 0);
  const limitIn = (period: Period, userLimits: UserLimits) =>
    (period.limitOf(userLimits) ?? Infinity) * period.scale;
  const checkUsed = (user: string, userLimits: UserLimits, at: number) => {
    const full = PERIODS.find((period) => usedIn(period, user, at) >= limitIn(period, userLimits));
    return full && { outcome: full.code, waitMs: Math.ceil(full.next(at) - at) };
  };
  const checkReserved = (user: string, userLimits: UserLimits, at: number) => {
    const taken = (period: Period) => usedIn(period, user, at) + reservedIn(period, user, at);
    const full = PERIODS.find((period) => taken(period) >= limitIn(period, userLimits));
    return full && { outcome: full.reserved, waitMs: 1000 };
  };
  const within = (user: string, elapsed: number) =>
    passes.filter((entry) => entry.user === user && entry.at > elapsed - 60_000);

  return {
    useOf: (user: string, at: number): UserUse => {
      const [month, day, tokens] = PERIODS.map((period) => usedIn(period, user, at));
      return { tokens: tokens ?? 0, dayNanos: day ?? 0, monthNanos: month ?? 0 };
    },
    admit(user: string, userLimits: UserLimits, { at, elapsed }: { at: number; elapsed: number }) {
      const { requestsPerMinute, maxParallel } = userLimits;
      const refusal = checkUsed(user, userLimits, at);
      if (refusal) return refusal;
      const recent = within(user, elapsed);
      if (requestsPerMinute !== null && recent.length >= requestsPerMinute) {
        const moments = recent.map((entry) => entry.at + 60_000).sort((a, b) => a - b);
        const free = moments.find((moment) => within(user, moment).length < requestsPerMinute) ?? Number.NaN;
        return { outcome: "limit_requests", waitMs: Math.ceil(free - elapsed) };
      }
      const reserved = checkReserved(user, userLimits, at);
      if (reserved) return reserved;
      if (maxParallel !== null && running.filter((ask) => ask.user === user).length >= maxParallel)
        return { outcome: "limit_parallel", waitMs: 1000 };
      const ask: RunningAsk = { user, userLimits, reserved: { tokens: 0, costNanos: 0, at } };
      if (requestsPerMinute !== null) passes.push({ user, at: elapsed });
      running.push(ask);
      return { outcome: "ok", ask };
    },
    reserve({ user, userLimits, reserved }: RunningAsk, spent: Spent, at: number) {
      const refusal = checkUsed(user, userLimits, at) ?? checkReserved(user, userLimits, at);
      if (!refusal) Object.assign(reserved, { ...spent, at });
      return refusal ?? { outcome: "ok" };
    },
    end(ask: RunningAsk | undefined) {
      running = running.filter((candidate) => candidate !== ask);
    },
    count(user: string, spent: Spent, at: number): void {
      for (const period of PERIODS)
        counted.set(keyOf(period, user, at), usedIn(period, user, at) + spent[period.unit]);
    },
    remaining: (user: string, userLimits: UserLimits, { at, elapsed }: { at: number; elapsed: number }) => ({
      requests: Math.max(0, (userLimits.requestsPerMinute ?? 0) - within(user, elapsed).length),
      ofPeriods: PERIODS.map((period) => {
        const left = limitIn(period, userLimits) - usedIn(period, user, at) - reservedIn(period, user, at);
        return period.limitOf(userLimits) === null ? undefined : Math.max(0, left);
      }),
    }),
    /** Keeps nothing but what was used. */
    restart() {
      passes = [];
      running = [];
    },
  };
}
