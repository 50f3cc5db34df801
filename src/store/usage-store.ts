import type { Principal } from "../principal.ts";
import type { AskRecord } from "../relay/record.ts";
import type { RequestPage, RequestQuery } from "./records.ts";
import type { UsageGroup } from "./usage-groups.ts";

/** The usage of one ask: the part of its record that is kept. Every error code counts as failed. */
export type UsageRow = Omit<
  AskRecord,
  "traceparent" | "tracestate" | "agentNode" | "deltas" | "answerLength"
>;

export interface UsageSum {
  /** A value for each requested group. A day is written as `2026-11-23`, in UTC. */
  group: Partial<Record<UsageGroup, string | null>>;
  asks: number;
  failed: number;
  inputTokens: number;
  outputTokens: number;
  /** Parts of the input tokens. */
  cachedTokens: number;
  cacheCreationTokens: number;
  /** A part of the output tokens. */
  reasoningTokens: number;
  /** Asks whose tokens the server estimated. */
  estimated: number;
  /** Asks that reached an agent and have no tokens, or a number of them that cannot be right. */
  uncounted: number;
  durationMs: number;
  /** The cost of the asks whose cost is known, in billionths of the currency's unit. */
  costNanos: number;
  /** Asks that reached an agent and whose cost is not known: their models had no price. */
  unpriced: number;
  /** The audio that upstreams heard, the images that they made, and the units of their rankings, as they told them. */
  audioMs: number;
  images: number;
  searchUnits: number;
  /** The bytes of requests for audio and images, and of their answers. */
  inputBytes: number;
  outputBytes: number;
}

/** The tokens of asks, and their cost in billionths of the currency's unit. */
export interface Spent {
  tokens: number;
  costNanos: number;
}

/** The tokens and the cost of a user on a day, and the cost in its month. */
export interface UserUse {
  tokens: number;
  dayNanos: number;
  monthNanos: number;
}

export interface UsageSumQuery {
  from: number;
  to: number;
  by: readonly UsageGroup[];
  /** Only the asks of this principal; undefined for all. */
  principal?: Principal | undefined;
  limit: number;
}

export interface UsagePeriod {
  /** The asks that arrived at `from` or later and, if it is given, before `to`. */
  from: number;
  to?: number;
  /** Only those that ended before. */
  endedBefore: number;
}

export interface UsageStore {
  /**
   * Returns at once. The row is written within about a second, in one transaction with other rows. Times are
   * rounded to whole milliseconds, and long names cut off.
   */
  record(row: UsageRow): void;
  /**
   * Sums the recorded rows, which are written first if possible, with `from` included and `to` excluded. The sums
   * are sorted by day if days are requested, then by the number of asks, highest first. A group without asks is
   * left out. The work is done in slices, so that a long period blocks nobody.
   */
  sum(query: UsageSumQuery): Promise<UsageSum[]>;
  /**
   * Lists the recorded rows, which are written first if possible. Looks through a bounded number of rows, so that a page
   * may have fewer than there are, or none, and yet a next one.
   */
  list(query: RequestQuery): Promise<RequestPage>;
  /** Returns how many rows the sums lack, because they could not be written: the disk may be full. */
  unwritten(): number;
  /**
   * Returns what each user used since the beginnings of a day and of its month, by user id, to continue their limits
   * after a restart.
   */
  usedSince(from: { day: number; month: number }): Promise<Map<string, UserUse>>;
  /**
   * Returns what these users used in a period. An ask ends its rounded duration after its arrival. Users without any
   * are left out.
   */
  spentByUsers(users: readonly string[], period: UsagePeriod): Promise<Map<string, Spent>>;
  /** Returns what the asks of these users cost in a period. It reads nothing but an index. Others are left out. */
  costOfUsers(users: readonly string[], period: UsagePeriod): Promise<Map<string, number>>;
  /** Returns how many rows since `from` have numbers of tokens that cannot be right, and so do not count. */
  implausibleSince(from: number): Promise<number>;
  /**
   * Returns the names of these agents or users. That of an agent is the last one that it had, and that of a deleted
   * user the one at the end. Ids whose name is not known are left out.
   */
  names(kind: NamedGroup, ids: readonly string[]): Promise<Map<string, string>>;
  /** Deletes the rows before this time, and names not seen since. Resolves with the number of rows. */
  purge(before: number): Promise<number>;
}

/** The groups whose values are ids. */
export type NamedGroup = "user" | "agent";
