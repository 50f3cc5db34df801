import type { Log } from "../log/log.ts";
import { principalName } from "../principal.ts";
import type { AskRecord } from "../relay/record.ts";

/** One line for each ask, when it is over, with the id of the request that it came by. */
export function logAsk(log: Log, record: AskRecord): void {
  const { origin, principal, agent, model, outcome, usage } = record;
  const [, traceId, spanId] = origin.traceparent?.split("-") ?? [];
  log.info("ask", {
    request_id: origin.requestId,
    trace_id: traceId,
    span_id: spanId,
    surface: origin.surface,
    user: principalName(principal),
    agent,
    model: shownModel(model),
    outcome,
    status: record.upstreamStatus,
    tries: record.tries,
    queue_ms: record.queueMs,
    first_byte_ms: record.firstByteMs,
    ms: record.durationMs,
    deltas: record.deltas,
    answer_length: record.answerLength,
    prompt_tokens: usage?.prompt_tokens,
    completion_tokens: usage?.completion_tokens,
  });
}

/** A caller may put anything where a model's name belongs, and what is not like a name is not logged. */
export function shownModel(model: string | undefined): string | undefined {
  return model === undefined || /^[\w.:/@+-]{0,100}$/.test(model) ? model : "(no name)";
}
