import { userIdOf } from "../principal.ts";
import { MEDIA_MAX, type MediaUsage } from "../protocol/bytes/media-usage.ts";
import type { TryFailure } from "../relay/record.ts";
import type { StoredFailure } from "./records.ts";
import type { UsageRow, UsageSum, UsageSumQuery } from "./store.ts";

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
  ...["reasoningTokens", "estimated", "uncounted", "durationMs", ...MEDIA_FIELDS],
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

/** Returns the tokens of each user in sums by user. Those of the admin are left out. */
export function tokensOf(sums: readonly UsageSum[]): Map<string, number> {
  const tokens = new Map<string, number>();
  for (const { group, inputTokens, outputTokens } of sums)
    if (typeof group.user === "string") tokens.set(group.user, inputTokens + outputTokens);
  return tokens;
}
