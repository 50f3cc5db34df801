import { z } from "zod";
import { AppError } from "../../errors.ts";
import { parseJson } from "../../json/parse.ts";
import { argumentsText } from "../../protocol/call-arguments.ts";
import { CHAT_STREAM_END, isChat } from "../../protocol/chat.ts";
import { endingFault, failureOf } from "../../protocol/chat-ending.ts";
import { readParts } from "../../protocol/chat-parts.ts";

/**
 * The fields of a chat completion, whole or in chunks, that the translations read. A whole message has the
 * shape of a delta. Upstreams differ in what they leave out or set to `null`, in the name of the reasoning
 * (see `Delta`), and in whether content is a text or a list of parts.
 */
const text = z.string().nullish();
const count = z.number().nullish();
const TokenLogprob = z.looseObject({ token: z.string(), logprob: z.number() });

/** A tool call of a whole message, or a fragment of one in a delta. Some upstreams send the arguments as JSON. */
const ToolCall = z.object({
  index: count.catch(undefined),
  id: z.union([z.string(), z.number().transform(String)]).nullish(),
  function: z.object({ name: text, arguments: z.unknown().optional().transform(argumentsText) }).nullish(),
});
export type ToolCall = z.output<typeof ToolCall>;

/**
 * The reasoning is in `reasoning_content` (DeepSeek, llama.cpp, earlier vLLM), in `reasoning` (Ollama,
 * OpenRouter, vLLM), or in parts of the content: https://docs.mistral.ai/capabilities/reasoning/.
 * `function_call` is the older form of `tool_calls`.
 */
const Delta = z
  .object({
    content: z.union([z.string(), z.array(z.unknown()), z.looseObject({ type: z.string() })]).nullish(),
    refusal: text,
    reasoning_content: z.unknown().optional(),
    reasoning: z.unknown().optional(),
    tool_calls: z.array(ToolCall).nullish(),
    function_call: ToolCall.shape.function,
  })
  .transform(({ content, refusal, reasoning_content, reasoning, tool_calls: calls, function_call }) => {
    const parts = readParts(content);
    const ownReasoning = readParts(reasoning_content).text || readParts(reasoning).text;
    return {
      content: parts.text,
      refusal: (refusal ?? "") + parts.refusal,
      reasoning: ownReasoning || parts.reasoning,
      calls: calls?.length || !function_call ? (calls ?? []) : [{ function: function_call }],
    };
  });
export type Delta = z.output<typeof Delta>;

const Choice = z
  .object({
    index: count,
    delta: Delta.nullish(),
    message: Delta.nullish(),
    /** Some upstreams answer as they do for `/v1/completions`. */
    text: text.transform((content) => (content == null ? undefined : Delta.parse({ content }))),
    finish_reason: text,
    logprobs: z
      .object({
        content: z.array(TokenLogprob.extend({ top_logprobs: z.array(TokenLogprob).nullish() })).nullish(),
      })
      .nullish()
      .catch(undefined),
  })
  .transform(({ text: whole, message, ...rest }) => ({ ...rest, message: message ?? whole }));
export type Choice = z.output<typeof Choice>;

/** A chunk of a streamed chat completion, or a whole one. Its usage is read apart, by a `UsageReader`. */
const CompletionChunk = z.object({
  model: text.catch(undefined),
  choices: z
    .array(Choice)
    .nullish()
    .transform((choices) => choices ?? []),
});
export type CompletionChunk = z.output<typeof CompletionChunk>;

/** Returns the chunk; undefined for an object that has none of the fields by which a chunk is known. */
export function readChunk(value: unknown): CompletionChunk | undefined {
  return isChat(value) ? CompletionChunk.safeParse(value).data : undefined;
}

export const NO_NAME = "The agent's upstream sent a tool call without a name.";

/**
 * Reads the body of a whole chat completion. Throws `agent_failed` for an answer that the upstream itself
 * calls failed, and `agent_answer_invalid` for anything else that is not a whole chat completion.
 */
export function readCompletion(body: string) {
  const value = parseJson(body);
  const completion = readChunk(value);
  const choice = completion?.choices[0];
  const failure = failureOf(value) ?? endingFault(choice?.finish_reason);
  if (failure) {
    const { message, type, code } = failure;
    const upstream = { type: type ?? undefined, code: typeof code === "string" ? code : undefined };
    throw new AppError("agent_failed", { extra: { err: message }, upstream });
  }
  if (!completion || !choice?.message)
    throw new AppError("agent_answer_invalid", { detail: "not the body of a chat completion" });
  if (choice.message.calls.some((call) => !call.function?.name))
    throw new AppError("agent_failed", { extra: { err: NO_NAME } });
  return { value, completion, choice, message: choice.message };
}

/** A whole chat completion, with the fields that differ from those of its chunks. */
export const WholeCompletion = z.looseObject({
  choices: z.array(
    z.looseObject({
      message: z.looseObject({ tool_calls: z.array(z.looseObject({})).nullish() }),
      finish_reason: z.string().nullish(),
    }),
  ),
  usage: z.unknown().optional(),
});
export type WholeCompletion = z.output<typeof WholeCompletion>;

/**
 * Returns a whole chat completion as the data of the events that the caller asked for. Some upstreams answer
 * a request to stream with a plain body, and clients would take the lack of events for an empty answer.
 */
export function chunksOf(completion: WholeCompletion): string[] {
  const { choices: given, usage, ...rest } = completion;
  const choices = given.map(({ message, finish_reason, ...choice }) => ({
    delta: { ...choice, delta: withIndexes(message), finish_reason: null },
    end: { ...choice, delta: {}, finish_reason: finish_reason ?? "stop" },
  }));
  const chunk = (more: object) => JSON.stringify({ ...rest, object: "chat.completion.chunk", ...more });
  return [
    chunk({ choices: choices.map(({ delta }) => delta) }),
    chunk({ choices: choices.map(({ end }) => end) }),
    ...(usage == null ? [] : [chunk({ choices: [], usage })]),
    CHAT_STREAM_END,
  ];
}

/** Adds the index by which the fragments of tool calls are told apart. Whole messages have none. */
function withIndexes(message: WholeCompletion["choices"][number]["message"]): object {
  if (!message.tool_calls) return message;
  return { ...message, tool_calls: message.tool_calls.map((call, index) => ({ index, ...call })) };
}
