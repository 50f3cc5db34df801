import type { Limits } from "../auth/limits.ts";
import type { AskRecord } from "../relay/record.ts";
import type { UsageRow, UsageStore } from "../store/store.ts";

/** Agents and callers choose these names. */
const NAME_LENGTH_MAX = 256;

/** Takes down what each ask has used: a row for the administrator's figures, and tokens for the user's limit. */
export function createUsageCount(usage: UsageStore, limits: Limits): (record: AskRecord) => void {
  return (record) => {
    const row = usageRowOf(record);
    usage.record(row);
    limits.countTokens(row.principal, (row.promptTokens ?? 0) + (row.completionTokens ?? 0), row.at);
  };
}

function usageRowOf(record: AskRecord): UsageRow {
  const { origin, usage } = record;
  return {
    at: record.at,
    requestId: origin.requestId,
    principal: record.principal,
    agent: record.agent?.slice(0, NAME_LENGTH_MAX) ?? null,
    model: record.model?.slice(0, NAME_LENGTH_MAX) ?? null,
    surface: origin.surface,
    outcome: record.outcome,
    status: record.upstreamStatus ?? null,
    tries: record.tries,
    queueMs: record.queueMs,
    firstByteMs: record.firstByteMs ?? null,
    durationMs: record.durationMs,
    promptTokens: usage?.prompt_tokens ?? null,
    completionTokens: usage?.completion_tokens ?? null,
  };
}
