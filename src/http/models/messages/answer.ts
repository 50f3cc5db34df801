import { z } from "zod";
import type { Usage } from "../../../protocol/agent-v2.ts";
import { argumentsObject } from "../../../protocol/call-arguments.ts";
import { endingOf } from "../../../protocol/chat-ending.ts";
import { tokenCountsOf, usageIn } from "../../../protocol/token-usage.ts";
import { type Delta, readCompletion } from "../chat-completion.ts";
import { type Call, CallReader } from "../tool-calls.ts";

export interface MessageOptions {
  id: string;
  /** The model, until the upstream names its own. */
  model: string;
  showsThinking: boolean;
  stopSequences: readonly string[];
  newId: () => string;
  /** The ids of the conversation's earlier tool calls. */
  takenIds: ReadonlySet<string>;
  /** Returns the caller's name of a tool. */
  nameOf: (name: string) => string;
}

/** Why an answer has ended, as far as it is known. */
export interface Ending {
  finishReason: string | null | undefined;
  /** Whether the model has called a tool. */
  called: boolean;
  /** Whether the model has sent a refusal. */
  refused: boolean;
  /** The caller's stop sequence that ended the answer, if the upstream names it. */
  stopSequence: string | undefined;
}

/** Returns the body of a message, made from that of a whole chat completion. */
export function messageOf(chatBody: string, options: MessageOptions) {
  const { value, completion, choice, message } = readCompletion(chatBody);
  const ending = {
    finishReason: choice.finish_reason,
    called: message.calls.length > 0,
    refused: Boolean(message.refusal),
    stopSequence: stopSequenceOf(value, options.stopSequences),
  };
  return {
    ...emptyMessage(options.id, completion.model || options.model),
    content: contentOf(message, options),
    ...endingFields(ending),
    usage: messagesUsage(usageIn(value)),
  };
}

/** Returns a message as it begins, with the usage that is known by then. */
export function emptyMessage(id: string, model: string, known?: Usage) {
  const ending = { stop_reason: null, stop_sequence: null, stop_details: null };
  const usage = messagesUsage(known);
  return { id, type: "message", role: "assistant", model, content: [], ...ending, usage };
}

function contentOf(message: Delta, options: MessageOptions): unknown[] {
  const { showsThinking } = options;
  const thinking = message.reasoning;
  return [
    ...(thinking && showsThinking ? [{ type: "thinking", thinking, signature: "" }] : []),
    ...[message.content, message.refusal].flatMap((text) => (text ? [{ type: "text", text }] : [])),
    ...new CallReader(options.takenIds).read(message.calls, true).map(({ call }) => toolUse(call, options)),
  ];
}

function toolUse(call: Call, { newId, nameOf }: MessageOptions): unknown {
  const input = argumentsObject(call.arguments);
  return { type: "tool_use", id: call.id || `toolu_${newId()}`, name: nameOf(call.name), input };
}

const stop = z.string().optional().catch(undefined);
/** vLLM names the stop sequence in `stop_reason`, SGLang in `matched_stop`. */
const StoppedChoice = z.object({ stop_reason: stop, matched_stop: stop });
const Stopped = z.object({ choices: z.tuple([StoppedChoice]).rest(z.unknown()) });

/** Returns the caller's stop sequence that a chunk, or a whole answer, names as its end. */
export function stopSequenceOf(chunk: unknown, sequences: readonly string[]): string | undefined {
  if (sequences.length === 0) return undefined;
  const choice = Stopped.safeParse(chunk).data?.choices[0];
  return sequences.find((sequence) => sequence === choice?.stop_reason || sequence === choice?.matched_stop);
}

export function endingFields(ending: Ending) {
  const reason = stopReason(ending);
  return {
    stop_reason: reason,
    stop_sequence: reason === "stop_sequence" ? (ending.stopSequence ?? null) : null,
    stop_details: reason === "refusal" ? { type: "refusal", category: null, explanation: null } : null,
  };
}

/**
 * Returns Anthropic's word for the end: https://platform.claude.com/docs/en/api/handling-stop-reasons.
 *
 * - `max_tokens` for `length`, whatever else the answer has: it is cut off.
 * - `refusal` for `content_filter`, and if the model has sent a refusal.
 * - `tool_use` if tools were called. Some upstreams end with `stop` after tool calls.
 * - `stop_sequence` or `end_turn` for `stop`, and if there is no reason at all, as some upstreams give none.
 *
 * An answer with `error` or with a reason that is not known never comes here: it has failed (`endingFault`).
 */
function stopReason({ finishReason, called, refused, stopSequence }: Ending): string {
  const ending = endingOf(finishReason);
  if (ending === "length") return "max_tokens";
  if (ending === "content_filter" || refused) return "refusal";
  if (called) return "tool_use";
  return stopSequence === undefined ? "end_turn" : "stop_sequence";
}

/**
 * Returns the usage as Anthropic counts it: tokens that were read from a cache or written to it are not part
 * of the input tokens, as they are for OpenAI. The two main counts must be numbers, so they are 0 if the
 * upstream sent no usage.
 */
export function messagesUsage(usage: Usage | undefined) {
  const counts = tokenCountsOf(usage);
  const { inputTokens = 0, outputTokens = 0, cachedTokens, cacheCreationTokens, reasoningTokens } = counts;
  return {
    input_tokens: inputTokens - (cachedTokens ?? 0) - (cacheCreationTokens ?? 0),
    cache_creation_input_tokens: cacheCreationTokens ?? null,
    cache_read_input_tokens: cachedTokens ?? null,
    output_tokens: outputTokens,
    output_tokens_details: reasoningTokens === undefined ? null : { thinking_tokens: reasoningTokens },
  };
}
