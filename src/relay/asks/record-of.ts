import { AppError } from "../../errors.ts";
import { type AskWork, tokensOf } from "../ask-tokens.ts";
import type { AskRecord } from "../record.ts";
import type { AgentIdentity, AskRequest, AskResult } from "../types.ts";
import { mediaUsageOf } from "./media-usage.ts";
import { outcomeFields } from "./outcome-fields.ts";

/** The course of an ask that has ended. Its moments are in milliseconds since 1970. */
interface AskCourse extends Pick<AskRecord, "model" | "failures" | "isAffine" | "tries" | "deltas"> {
  /** The agent that had the ask last. */
  agent: AgentIdentity | undefined;
  beganAt: number;
  /** When that agent was sent the ask. */
  sentAt: number | undefined;
  firstByteAt: number | undefined;
  endedAt: number;
  /** The length of all deltas, in UTF-16 code units. */
  deltaLength: number;
}

/**
 * Returns the record of an ask. It names each field: with spread objects, the records would have many shapes, and all
 * that reads them for each ask would take longer.
 */
export function recordOf(
  { origin, principal }: AskRequest,
  course: AskCourse,
  outcome: AskResult | AppError,
  work: AskWork,
): AskRecord {
  const { agent, beganAt, endedAt, deltas } = course;
  const ended = outcomeFields(outcome);
  const answer = outcome instanceof AppError ? outcome : outcome.answer;
  const tokens = tokensOf(work, answer);
  const firstByteAt = course.firstByteAt ?? (ended.outcome === "ok" ? endedAt : undefined);
  return {
    requestId: origin.requestId,
    surface: origin.surface,
    traceparent: origin.traceparent,
    tracestate: origin.tracestate,
    principal,
    agent: agent?.id,
    agentName: agent?.name,
    agentNode: agent?.node,
    model: course.model,
    outcome: ended.outcome,
    error: ended.error,
    failures: course.failures,
    isAffine: course.isAffine,
    upstreamStatus: ended.upstreamStatus,
    at: beganAt,
    tries: course.tries,
    queueMs: (course.sentAt ?? endedAt) - beganAt,
    firstByteMs: firstByteAt === undefined ? undefined : firstByteAt - beganAt,
    durationMs: endedAt - beganAt,
    deltas,
    answerLength: course.deltaLength + ended.wholeLength,
    inputTokens: tokens.inputTokens,
    outputTokens: tokens.outputTokens,
    cachedTokens: tokens.cachedTokens,
    cacheCreationTokens: tokens.cacheCreationTokens,
    reasoningTokens: tokens.reasoningTokens,
    tokensEstimated: tokens.tokensEstimated,
    media: mediaUsageOf(work, answer),
  };
}
