import type { LimitCounts } from "../../auth/limits.ts";
import { BoundedMap } from "../../bounded-map.ts";

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

  /** Adds tokens to those that are used or reserved. */
  addTokens(user: string, count: number): void {
    const told = this.#told.get(user);
    if (told) told.counts.tokens = Math.max(0, told.counts.tokens + count);
  }

  get(user: string): LimitCounts | undefined {
    const told = this.#told.get(user);
    if (!told) return undefined;
    const passedMs = this.elapsedMs() - told.at;
    const { requests, tokens, requestsResetMs, tokensResetMs } = told.counts;
    return {
      requests: requestsResetMs > passedMs ? requests : 0,
      requestsResetMs: Math.max(0, requestsResetMs - passedMs),
      tokens: tokensResetMs > passedMs ? tokens : 0,
      tokensResetMs: Math.max(0, tokensResetMs - passedMs),
    };
  }
}
