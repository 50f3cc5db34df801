import { z } from "zod";
import { parseJson } from "../../json/parse.ts";
import { CHAT_STREAM_END } from "../../protocol/chat.ts";

const Completion = z.looseObject({
  choices: z.array(
    z.looseObject({
      message: z.looseObject({ tool_calls: z.array(z.looseObject({})).nullish() }),
      finish_reason: z.string().nullish(),
    }),
  ),
  usage: z.unknown().optional(),
});

/**
 * Returns a whole chat completion as the data of the events that the caller asked for. Some upstreams answer
 * a request to stream with a plain body, and clients would take the lack of events for an empty answer.
 * Returns undefined if the body is not a chat completion.
 */
export function chunksOfWhole(body: string): string[] | undefined {
  const completion = Completion.safeParse(parseJson(body)).data;
  if (!completion) return undefined;
  const { choices, usage, ...rest } = completion;
  const chunk = (more: object) => JSON.stringify({ ...rest, object: "chat.completion.chunk", ...more });
  const deltas = choices.map(({ message, finish_reason: _, ...choice }) => ({
    ...choice,
    delta: withIndexes(message),
    finish_reason: null,
  }));
  const ends = choices.map(({ message: _, finish_reason, ...choice }) => ({
    ...choice,
    delta: {},
    finish_reason: finish_reason ?? "stop",
  }));
  const usageChunks = usage === undefined || usage === null ? [] : [chunk({ choices: [], usage })];
  return [chunk({ choices: deltas }), chunk({ choices: ends }), ...usageChunks, CHAT_STREAM_END];
}

/**
 * Adds the index by which the fragments of tool calls are told apart, and which a whole message does not
 * have.
 */
function withIndexes(message: z.output<typeof Completion>["choices"][number]["message"]): object {
  if (!message.tool_calls) return message;
  return { ...message, tool_calls: message.tool_calls.map((call, index) => ({ index, ...call })) };
}
