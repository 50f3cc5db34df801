import type { ErrorCode } from "../errors.ts";
import type { Principal } from "../principal.ts";
import type { UsageGroup } from "./usage-groups.ts";

/** Why a request was refused: an error code, or what is wrong with the caller's known key, which callers are not told. */
export type RefusalReason = ErrorCode | "key_disabled" | "key_expired";

/** The requests of a group that were refused for one reason. */
export interface RefusalSum {
  /** The values of those groups that a refusal has: an agent or a model is null. */
  group: Partial<Record<UsageGroup, string | null>>;
  reason: RefusalReason;
  count: number;
}

export interface RefusalQuery {
  from: number;
  to: number;
  by: readonly UsageGroup[];
  /** Only those of this principal; undefined for all. */
  principal?: Principal | undefined;
}

/**
 * Counts the requests that were refused before they became an ask, by the hour, principal and reason: of these there
 * are few, however many requests are refused.
 */
export interface RefusalStore {
  /** Returns at once. The count is written within about a second. */
  record(principal: Principal, reason: RefusalReason, at: number): void;
  /** Sums the recorded refusals of the hours that begin at `from` or later and before `to`, by group and reason. */
  sum(query: RefusalQuery): Promise<RefusalSum[]>;
  /** Deletes the counts of hours before this time. Resolves with their number. */
  purge(before: number): Promise<number>;
}
