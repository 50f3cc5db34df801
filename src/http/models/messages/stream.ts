import type { AnthropicErrorType } from "../../../errors.ts";
import { parseJson } from "../../../json/parse.ts";
import { CHAT_STREAM_END } from "../../../protocol/chat.ts";
import { anthropicErrorBody, anthropicErrorEvent, anthropicTypeNamed } from "../../errors/anthropic.ts";
import type { ServerEvent } from "../../middleware/event-stream.ts";
import { ChatFailure, type Choice, CompletionChunk, type Usage } from "../chunk.ts";
import type { PlanStream } from "../plan.ts";
import { messageBody, reasoningOf } from "./answer.ts";
import { type Blocks, createBlocks } from "./blocks.ts";
import { type Ending, endingFields, messagesUsage, stopSequenceOf } from "./ending.ts";

export interface StreamOptions {
  id: string;
  /** The model, until the upstream names its own. */
  model: string;
  showsThinking: boolean;
  stopSequences: readonly string[];
  newId: () => string;
}

/** Faults of the agent's upstream, as the caller reads them. */
const FAULT = {
  notAChunk: "The agent's upstream sent something that is not a chat completion.",
  noName: "The agent's upstream sent a tool call without a name.",
  callGoesOn: "The agent's upstream sent more arguments for a tool call that was complete.",
} as const;

/**
 * Makes the events of https://platform.claude.com/docs/en/build-with-claude/streaming. The usage comes with
 * the last event but one, so the zeros in `message_start` mean nothing. Arguments of tools are passed on as
 * they come. If they are not JSON, the caller's SDK finds out when the call is complete.
 */
export function createMessagesStream(options: StreamOptions): PlanStream {
  let events: ServerEvent[] = [];
  let started = false;
  let ended = false;
  let usage: Usage | null | undefined;
  const ending: Omit<Ending, "called"> = { finishReason: null, refused: false, stopSequence: undefined };

  const emit = (type: string, fields: Record<string, unknown>) => {
    events.push({ event: type, data: JSON.stringify({ type, ...fields }) });
  };
  const blocks = createBlocks(options.newId, emit);
  const start = (model: string) => {
    if (started) return;
    started = true;
    emit("message_start", { message: messageBody({ id: options.id, model }, [], undefined, undefined) });
  };
  const fail = (event: ServerEvent) => {
    ended = true;
    events.push(event);
  };
  const failWith = (message: string) => fail(errorEvent("api_error", message));
  const finish = () => {
    start(options.model);
    if (!blocks.close()) return failWith(FAULT.noName);
    ended = true;
    emit("message_delta", {
      delta: endingFields({ ...ending, called: blocks.called() }),
      usage: messagesUsage(usage),
    });
    emit("message_stop", {});
  };
  const write = (chunk: CompletionChunk, value: unknown) => {
    start(chunk.model || options.model);
    usage = chunk.usage ?? usage;
    // A message has only the first of several choices.
    for (const choice of chunk.choices.filter(({ index }) => !index)) {
      if (choice.delta?.refusal) ending.refused = true;
      const fault = writeChoice(blocks, choice, options.showsThinking);
      if (fault) return failWith(fault);
      if (!choice.finish_reason) continue;
      ending.finishReason = choice.finish_reason;
      ending.stopSequence = stopSequenceOf(value, options.stopSequences);
    }
  };
  const push = (data: string) => {
    if (data === CHAT_STREAM_END) return finish();
    const value = parseJson(data);
    const chunk = CompletionChunk.safeParse(value);
    if (chunk.success) return write(chunk.data, value);
    const failure = ChatFailure.safeParse(value);
    if (failure.success) fail(upstreamError(failure.data));
    else failWith(FAULT.notAChunk);
  };
  const once = (act: () => void) => {
    if (!ended) act();
    const taken = events;
    events = [];
    return taken;
  };
  return {
    push: ({ data }) => once(() => push(data)),
    end: () => once(finish),
    fail: (error, requestId) => once(() => fail(anthropicErrorEvent(error, requestId))),
  };
}

/** Sends a choice. Returns what is wrong with it, if anything. */
function writeChoice(
  blocks: Blocks,
  { delta, finish_reason: finishReason }: Choice,
  showsThinking: boolean,
): string | undefined {
  const thinking = delta && reasoningOf(delta);
  if (thinking && showsThinking) blocks.write("thinking", thinking);
  if (delta?.content) blocks.write("text", delta.content);
  if (delta?.refusal) blocks.write("text", delta.refusal);
  for (const fragment of delta?.tool_calls ?? []) {
    if (!blocks.call(fragment)) return FAULT.callGoesOn;
  }
  // Callers run a tool as soon as its block is complete, so they need not wait for the usage.
  if (finishReason && !blocks.close()) return FAULT.noName;
  return undefined;
}

function upstreamError({ error: { message, type, code } }: ChatFailure): ServerEvent {
  const name = anthropicTypeNamed(type, typeof code === "string" ? code : undefined);
  return errorEvent(name ?? "api_error", message);
}

function errorEvent(type: AnthropicErrorType, message: string): ServerEvent {
  return { event: "error", data: JSON.stringify(anthropicErrorBody({ type, message })) };
}
