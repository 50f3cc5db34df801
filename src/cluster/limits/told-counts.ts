import type { LimitCounts } from "../../auth/limits/limits.ts";
import { BoundedMap } from "../../bounded-map.ts";
import type { Spent } from "../../store/store.ts";

/** The users whose counts are remembered. */
const USERS_MAX = 20_000;

/**
 * The counts of users as their homes told them last, corrected by what this node has done since: for the headers of
 * responses, which cannot wait.
 */
export class ToldCounts {
  #told = new BoundedMap<string, { counts: LimitCounts; at: number }>(USERS_MAX);

  constructor(private readonly elapsedMs: () => number) {}

  set(user: string, counts: LimitCounts): void {
    this.#told.set(user, { counts, at: this.elapsedMs() });
  }

  /** Adds to what is used or reserved, or takes away from it if `sign` is -1. */
  add(user: string, { tokens, costNanos }: Spent, sign: 1 | -1 = 1): void {
    const counts = this.#told.get(user)?.counts;
    if (!counts) return;
    counts.tokens = Math.max(0, counts.tokens + sign * tokens);
    counts.dayNanos = Math.max(0, counts.dayNanos + sign * costNanos);
    counts.monthNanos = Math.max(0, counts.monthNanos + sign * costNanos);
  }

  get(user: string): LimitCounts | undefined {
    const told = this.#told.get(user);
    if (!told) return undefined;
    const passedMs = this.elapsedMs() - told.at;
    const { requests, tokens, dayNanos, monthNanos } = told.counts;
    const { requestsResetMs, dayResetMs, monthResetMs } = told.counts;
    return {
      requests: requestsResetMs > passedMs ? requests : 0,
      requestsResetMs: Math.max(0, requestsResetMs - passedMs),
      tokens: dayResetMs > passedMs ? tokens : 0,
      dayNanos: dayResetMs > passedMs ? dayNanos : 0,
      dayResetMs: Math.max(0, dayResetMs - passedMs),
      monthNanos: monthResetMs > passedMs ? monthNanos : 0,
      monthResetMs: Math.max(0, monthResetMs - passedMs),
    };
  }
}
