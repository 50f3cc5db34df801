import type { Log } from "../log/log.ts";
import { principalName } from "../principal.ts";
import { type AskRecord, shownModel } from "../relay/record.ts";

/** Writes one line for each finished ask, with the id of its request. */
export function logAsk(log: Log, record: AskRecord): void {
  const { origin, principal, agent, model, outcome, tries, deltas, usage } = record;
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
    tries,
    queue_ms: record.queueMs,
    first_byte_ms: record.firstByteMs,
    ms: record.durationMs,
    deltas,
    answer_length: record.answerLength,
    input_tokens: usage?.prompt_tokens,
    output_tokens: usage?.completion_tokens,
  });
}
