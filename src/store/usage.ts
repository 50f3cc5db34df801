import { userIdOf } from "../principal.ts";
import { MEDIA_MAX, type MediaUsage } from "../protocol/bytes/media-usage.ts";
import type { TryFailure } from "../relay/record.ts";
import type { StoredFailure } from "./records.ts";
import type { UsageRow, UsageSum, UsageSumQuery, UserUse } from "./store.ts";

/** Agents and callers choose the names of agents and models. This much of each is kept. */
const NAME_LENGTH_MAX = 256;

/** A longer duration cannot be right, and is not added to sums. */
export const DURATION_MS_MAX = 1e12;

/** The columns that the rows of most requests do not have. */
export const MEDIA_FIELDS = Object.keys(MEDIA_MAX) as (keyof MediaUsage)[];

/** Returns the values of the columns of a row, as every kind of store names them. */
export function usageValues(row: UsageRow): UsageValues {
  const values = commonValues(row);
  return row.media ? { ...values, ...row.media } : values;
}

function commonValues(row: UsageRow) {
  const { firstByteMs, agent, model } = row;
  return {
    at: row.at,
    requestId: row.requestId,
    userId: userIdOf(row.principal),
    agent: agent?.slice(0, NAME_LENGTH_MAX) ?? null,
    agentName: row.agentName?.slice(0, NAME_LENGTH_MAX) ?? null,
    model: model?.slice(0, NAME_LENGTH_MAX) ?? null,
    surface: row.surface,
    outcome: row.outcome,
    upstreamStatus: row.upstreamStatus ?? null,
    error: row.error ?? null,
    failures: row.failures?.length ? failuresText(row.failures) : null,
    isAffine: row.isAffine === undefined ? null : Number(row.isAffine),
    tries: row.tries,
    queueMs: Math.round(row.queueMs),
    firstByteMs: firstByteMs === undefined ? null : Math.round(firstByteMs),
    durationMs: Math.round(row.durationMs),
    inputTokens: row.inputTokens ?? null,
    outputTokens: row.outputTokens ?? null,
    cachedTokens: row.cachedTokens ?? null,
    cacheCreationTokens: row.cacheCreationTokens ?? null,
    reasoningTokens: row.reasoningTokens ?? null,
    tokensEstimated: Number(row.tokensEstimated),
    costNanos: row.costNanos ?? null,
  };
}

function failuresText(failures: readonly TryFailure[]): string {
  const stored = failures.map(
    ({ agent, agentName, sentAfterMs, code, error }): StoredFailure => ({
      agent: agent?.slice(0, NAME_LENGTH_MAX) ?? null,
      agentName: agentName?.slice(0, NAME_LENGTH_MAX) ?? null,
      sentAfterMs: Math.round(sentAfterMs),
      code,
      error,
    }),
  );
  return JSON.stringify(stored);
}

export type UsageValues = ReturnType<typeof commonValues> & MediaUsage;

/** The sums of a group of rows. */
export type Sums = Omit<UsageSum, "group">;

export const SUM_NAMES = [
  ...["asks", "failed", "inputTokens", "outputTokens", "cachedTokens", "cacheCreationTokens"],
  ...["reasoningTokens", "estimated", "uncounted", "durationMs", ...MEDIA_FIELDS, "costNanos", "unpriced"],
] as (keyof Sums)[];

/** Sorts the sums of a report. */
export function byDayAndAsks(a: UsageSum, b: UsageSum): number {
  return (a.group.day ?? "").localeCompare(b.group.day ?? "") || b.asks - a.asks;
}

/** The query for the sums of all users, without its beginning. */
export const EVERY_USER = {
  to: Number.MAX_SAFE_INTEGER,
  by: ["user"],
  limit: Infinity,
} as const satisfies Partial<UsageSumQuery>;

/** Returns what each user used, from sums of a day by user and from the costs of a month. The admin is left out. */
export function usedOf(sums: readonly UsageSum[], costs: readonly UserCost[]): Map<string, UserUse> {
  const used = new Map<string, UserUse>();
  for (const { group, inputTokens, outputTokens, costNanos } of sums)
    if (typeof group.user === "string")
      used.set(group.user, { tokens: inputTokens + outputTokens, dayNanos: costNanos, monthNanos: 0 });
  for (const { user, costNanos } of costs) {
    const use = used.get(user) ?? { tokens: 0, dayNanos: 0, monthNanos: 0 };
    use.monthNanos += costNanos;
    used.set(user, use);
  }
  return used;
}

/** The cost of requests of a user together. */
export interface UserCost {
  user: string;
  costNanos: number;
}
