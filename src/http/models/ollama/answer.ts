import type { Usage } from "../../../protocol/agent-v2.ts";
import { argumentsObject } from "../../../protocol/call-arguments.ts";
import { endingOf } from "../../../protocol/chat-ending.ts";
import { tokenCountsOf, usageIn } from "../../../protocol/token-usage.ts";
import { type Choice, readCompletion } from "../chat-completion.ts";
import { type Call, CallReader } from "../tool-calls.ts";

export interface AnswerOptions {
  /** The model as the caller named it, or another one that has answered. */
  model: string;
  /** Whether the answer is that of `/api/chat`, and not of `/api/generate`. */
  isChat: boolean;
  showsThinking: boolean;
  /** Milliseconds since 1970. */
  now: () => number;
  /** When the request came. */
  beganAt: number;
  /** The ids of the conversation's earlier tool calls. */
  takenIds: ReadonlySet<string>;
}

/** A part of what the model wrote. */
export interface Piece {
  content?: string | undefined;
  thinking?: string | undefined;
  calls?: readonly Call[];
}

/** The log probabilities of a choice, which Ollama writes as OpenAI does. */
export type Logprobs = NonNullable<NonNullable<Choice["logprobs"]>["content"]>;

/** Returns the body of a whole answer, made from that of a whole chat completion, or of a completion. */
export function answerOf(body: string, options: AnswerOptions) {
  const { value, choice, message } = readCompletion(body);
  const calls = new CallReader(options.takenIds).read(message.calls, true).map(({ call }) => call);
  return {
    ...lineOf({ content: message.content + message.refusal, thinking: message.reasoning, calls }, options),
    ...logprobsOf(choice.logprobs?.content),
    done: true,
    done_reason: reasonOf(choice.finish_reason),
    ...metricsOf(usageIn(value), options),
  };
}

/** Returns the fields of a line of an answer, without `done`. */
export function lineOf(piece: Piece, { model, isChat, showsThinking, now }: AnswerOptions) {
  const { content = "", calls = [] } = piece;
  const thinking = showsThinking ? piece.thinking : undefined;
  const thought = thinking && { thinking };
  return {
    model,
    created_at: new Date(now()).toISOString(),
    ...(isChat
      ? {
          message: {
            role: "assistant",
            content,
            ...thought,
            ...(calls.length > 0 && { tool_calls: calls.map(callOf) }),
          },
        }
      : { response: content, ...thought }),
  };
}

export function logprobsOf(logprobs: Logprobs | null | undefined) {
  return logprobs?.length ? { logprobs } : {};
}

function callOf({ id, name, arguments: text }: Call, index: number) {
  return { ...(id && { id }), function: { index, name, arguments: argumentsObject(text) } };
}

/**
 * Returns Ollama's word for the end: `length` for an answer that is cut off, and `stop` otherwise, also after calls of
 * tools. Ollama has no filter, so its word is OpenAI's.
 */
export function reasonOf(finishReason: string | null | undefined): string {
  const ending = endingOf(finishReason);
  return ending === "length" || ending === "content_filter" ? ending : "stop";
}

const NS_PER_MS = 1_000_000;

/**
 * Returns the last fields of an answer. Times are in nanoseconds, as the server has measured them: until the first piece
 * came, and from then on. Counts are the upstream's, and missing if it reports none. `firstAt` is undefined for an answer
 * that came in one piece.
 */
export function metricsOf(usage: Usage | undefined, { now, beganAt }: AnswerOptions, firstAt?: number) {
  const { inputTokens, outputTokens } = tokenCountsOf(usage);
  const endedAt = now();
  const writesSince = firstAt ?? beganAt;
  return {
    total_duration: nanoseconds(endedAt - beganAt),
    load_duration: 0,
    ...(inputTokens !== undefined && { prompt_eval_count: inputTokens }),
    prompt_eval_duration: nanoseconds(writesSince - beganAt),
    ...(outputTokens !== undefined && { eval_count: outputTokens }),
    eval_duration: nanoseconds(endedAt - writesSince),
  };
}

/** A system's clock may be set back. */
export const nanoseconds = (ms: number): number => Math.max(0, Math.round(ms)) * NS_PER_MS;
