import type { Limits } from "../auth/limits.ts";
import type { LiveOverview } from "../http/live/overview.ts";
import type { Log, LogFields } from "../log/log.ts";
import type { Metrics } from "../metrics/metrics.ts";
import { principalName } from "../principal.ts";
import { type AskRecord, shownModel } from "../relay/record.ts";
import type { AgentIdentity, RelayObserver } from "../relay/types.ts";
import type { UsageRow, UsageStore } from "../store/store.ts";

/** Agents and callers choose the names of agents and models. The usage keeps this much of each. */
const NAME_LENGTH_MAX = 256;

interface ObserverOptions {
  log: Log;
  metrics: Metrics;
  usage: UsageStore;
  limits: Limits;
  overview: Pick<LiveOverview, "noteAsk">;
}

/** Passes the relay's events on to the log, the metrics, the usage, the limits and the overview. */
export function createObserver({ log, metrics, usage, limits, overview }: ObserverOptions): RelayObserver {
  const agentFieldsOf = ({ id, address, key }: AgentIdentity) => ({ agent: id, address, key: key?.name });
  return {
    joined(agent) {
      metrics.agents.joined();
      log.info("agent_joined", agentFieldsOf(agent));
    },
    left(agent, reason) {
      metrics.agents.left(reason ?? "socket_closed");
      log.info("agent_left", { ...agentFieldsOf(agent), reason: reason ?? "socket closed" });
    },
    ended(record) {
      const row = usageRowOf(record);
      usage.record(row);
      limits.countTokens(row.principal, (row.promptTokens ?? 0) + (row.completionTokens ?? 0), row.at);
      metrics.askEnded(record);
      overview.noteAsk(record);
      log.info("ask", askFieldsOf(record));
    },
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

/** Returns what the log tells about a finished ask, with the id of its request. */
function askFieldsOf(record: AskRecord): LogFields {
  const { origin, principal, agent, model, outcome, tries, deltas, usage } = record;
  const [, traceId, spanId] = origin.traceparent?.split("-") ?? [];
  return {
    request_id: origin.requestId,
    trace_id: traceId,
    span_id: spanId,
    surface: origin.surface,
    user: principalName(principal),
    agent,
    model: shownModel(model),
    outcome,
    status: record.upstreamStatus,
    tries,
    queue_ms: record.queueMs,
    first_byte_ms: record.firstByteMs,
    ms: record.durationMs,
    deltas,
    answer_length: record.answerLength,
    input_tokens: usage?.prompt_tokens,
    output_tokens: usage?.completion_tokens,
  };
}
