import type { Limits } from "../auth/limits.ts";
import type { AskRecord } from "../relay/record.ts";
import type { UsageRow, UsageStore } from "../store/store.ts";

/** Agents and callers choose these names. */
const NAME_LENGTH_MAX = 256;

/** Counts what each finished ask used: a row for the usage routes, and tokens for the user's limits. */
export function createUsageCount(usage: UsageStore, limits: Limits): (record: AskRecord) => void {
  return (record) => {
    const row = usageRowOf(record);
    usage.record(row);
    limits.countTokens(row.principal, (row.promptTokens ?? 0) + (row.completionTokens ?? 0), row.at);
  };
}

function usageRowOf(record: AskRecord): UsageRow {
  const { origin, at, principal, outcome, tries, queueMs, durationMs, usage } = record;
  return {
    at,
    requestId: origin.requestId,
    principal,
    agent: record.agent?.slice(0, NAME_LENGTH_MAX) ?? null,
    model: record.model?.slice(0, NAME_LENGTH_MAX) ?? null,
    surface: origin.surface,
    outcome,
    status: record.upstreamStatus ?? null,
    tries,
    queueMs,
    firstByteMs: record.firstByteMs ?? null,
    durationMs,
    promptTokens: usage?.prompt_tokens ?? null,
    completionTokens: usage?.completion_tokens ?? null,
  };
}
