import { AppError, type ErrorCode } from "../errors.ts";
import type { Principal } from "../principal.ts";
import type { Usage } from "../protocol/agent-v2.ts";
import type { Ask, AskResult } from "./ask.ts";

/** Where an ask came from, for those who count and log. */
export interface AskOrigin {
  requestId: string;
  /** The route's name, such as `ask` or `chat/completions`. */
  surface: string;
  /** The W3C trace context to be handed on, with the server's own span as the parent. */
  traceparent?: string | undefined;
  tracestate?: string | undefined;
}

/** What became of one ask: figures and names, never its content. */
export interface AskRecord {
  origin: AskOrigin;
  principal: Principal;
  /** The agent that had it last; undefined when none had it. */
  agent: string | undefined;
  /** What that one calls itself. */
  agentName: string | undefined;
  /** The model that was asked for, or that the agent chose; undefined when neither is known. */
  model: string | undefined;
  outcome: "ok" | ErrorCode;
  /** The upstream's status, where it gave one. */
  upstreamStatus: number | undefined;
  /** When it came, in milliseconds since 1970. */
  at: number;
  tries: number;
  /** Until it was sent to an agent the last time, or given up. */
  queueMs: number;
  /** From its coming until the first byte of the answer; undefined when there was none. */
  firstByteMs: number | undefined;
  durationMs: number;
  /** Pieces of a streamed answer, and the UTF-16 code units of all of the answer. */
  deltas: number;
  answerLength: number;
  /** The upstream's figures, where it gave some. */
  usage: Usage | undefined;
}

export function recordOf(ask: Ask, outcome: AskResult | AppError, now: number): AskRecord {
  const failed = outcome instanceof AppError;
  const answer = failed ? undefined : outcome.answer;
  const whole = answer?.kind === "v1" ? answer.answer.content : (answer?.body ?? "");
  const firstAt = ask.firstAt ?? (failed ? undefined : now);
  return {
    origin: ask.request.origin,
    principal: ask.principal,
    agent: ask.lastAgent?.id,
    agentName: ask.lastAgent?.profile.name,
    model: ask.request.work.model ?? ask.lastAgent?.modelFor(ask.request.work),
    outcome: failed ? outcome.code : "ok",
    upstreamStatus: failed ? outcome.upstream?.status : answer?.kind === "model" ? answer.status : undefined,
    at: ask.beganAt,
    tries: ask.tries,
    queueMs: (ask.sentAt ?? now) - ask.beganAt,
    firstByteMs: firstAt === undefined ? undefined : firstAt - ask.beganAt,
    durationMs: now - ask.beganAt,
    deltas: ask.deltas,
    answerLength: ask.deltaLength + whole.length,
    usage: answer?.kind === "model" ? answer.usage : undefined,
  };
}
