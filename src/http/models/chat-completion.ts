import { z } from "zod";
import { AppError } from "../../errors.ts";
import { parseJson } from "../../json/parse.ts";
import { CHAT_STREAM_END } from "../../protocol/chat.ts";

/**
 * The fields of a chat completion, whole or in chunks, that the translations read. A whole message has the
 * shape of a delta. Upstreams differ in what they leave out or set to `null`, and in the name of the
 * reasoning: `reasoning_content` (DeepSeek, llama.cpp, earlier vLLM) or `reasoning` (Ollama, OpenRouter,
 * vLLM).
 */
const text = z.string().nullish();
const count = z.number().nullish();
const TokenLogprob = z.looseObject({ token: z.string(), logprob: z.number() });

/** A tool call of a whole message, or a fragment of one in a delta. */
const ToolCall = z.object({
  index: count,
  id: text,
  function: z.object({ name: text, arguments: text }).nullish(),
});
export type ToolCall = z.output<typeof ToolCall>;

const Delta = z.object({
  content: text,
  refusal: text,
  reasoning_content: text,
  reasoning: text.catch(undefined),
  tool_calls: z.array(ToolCall).nullish(),
});
export type Delta = z.output<typeof Delta>;

export function reasoningOf({ reasoning_content, reasoning }: Delta): string {
  return reasoning_content || reasoning || "";
}

const Choice = z.object({
  index: count,
  delta: Delta.nullish(),
  message: Delta.nullish(),
  finish_reason: text,
  logprobs: z
    .object({
      content: z.array(TokenLogprob.extend({ top_logprobs: z.array(TokenLogprob).nullish() })).nullish(),
    })
    .nullish(),
});
export type Choice = z.output<typeof Choice>;

const Usage = z.object({
  prompt_tokens: z.number(),
  completion_tokens: z.number(),
  total_tokens: count,
  prompt_tokens_details: z.object({ cached_tokens: count }).nullish(),
  completion_tokens_details: z.object({ reasoning_tokens: count }).nullish(),
});
export type Usage = z.output<typeof Usage>;

/** A chunk of a streamed chat completion, or a whole one. */
export const CompletionChunk = z.object({
  model: text,
  choices: z.array(Choice),
  usage: Usage.nullish().catch(undefined),
});
export type CompletionChunk = z.output<typeof CompletionChunk>;

/** Reads the body of a whole chat completion. Throws `agent_answer_invalid` if it is anything else. */
export function readCompletion(body: string) {
  const value = parseJson(body);
  const completion = CompletionChunk.safeParse(value).data;
  const choice = completion?.choices[0];
  if (completion && choice?.message) return { value, completion, choice, message: choice.message };
  throw new AppError("agent_answer_invalid", { detail: "not the body of a chat completion" });
}

/** The error that a failed upstream sends in place of a chunk. */
export const ChatFailure = z.object({
  error: z.union([
    z.string().transform((message) => ({ message, type: undefined, code: undefined })),
    z.object({ message: z.string(), type: text, code: z.union([z.string(), z.number()]).nullish() }),
  ]),
});

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
