import { z } from "zod";
import type { Delta } from "../../../relay/types.ts";

const Item = z.looseObject({ type: z.string() });
type Item = z.output<typeof Item>;

const Part = z.looseObject({ type: z.string() });

const WholeResponse = z.looseObject({
  output: z.array(Item),
  status: z.enum(["completed", "incomplete", "failed"]).catch("completed"),
});

/**
 * Returns the events of https://platform.openai.com/docs/api-reference/responses-streaming for a whole response,
 * as some upstreams answer a request to stream with a plain body; undefined if the value is not a response.
 */
export function eventsOfResponse(value: unknown): Delta[] | undefined {
  const response = WholeResponse.safeParse(value).data;
  if (!response) return undefined;
  const begun = { ...response, status: "in_progress", output: [], usage: null };
  const events: [string, object][] = [
    ["response.created", { response: begun }],
    ["response.in_progress", { response: begun }],
    ...response.output.flatMap(itemEvents),
    [`response.${response.status}`, { response }],
  ];
  return events.map(([type, fields], sequence_number) => ({
    event: type,
    data: JSON.stringify({ type, sequence_number, ...fields }),
  }));
}

function itemEvents(item: Item, output_index: number): [string, object][] {
  const place = { item_id: item["id"], output_index };
  const { begun, events } = split(item, place);
  return [
    ["response.output_item.added", { output_index, item: { ...begun, status: "in_progress" } }],
    ...events,
    ["response.output_item.done", { output_index, item }],
  ];
}

/** Returns the item as it begins, and what follows. An item of another type begins with all that it has. */
function split(item: Item, place: object): { begun: object; events: [string, object][] } {
  const { type, content, arguments: callArguments } = item;
  const parts = z.array(Part).safeParse(content).data;
  if (type === "message" && parts)
    return {
      begun: { ...item, content: [] },
      events: parts.flatMap((part, at) => partEvents(part, at, place)),
    };
  if (type !== "function_call") return { begun: item, events: [] };
  return {
    begun: { ...item, arguments: "" },
    events: [
      ["response.function_call_arguments.delta", { ...place, delta: callArguments }],
      ["response.function_call_arguments.done", { ...place, arguments: callArguments }],
    ],
  };
}

function partEvents(part: z.output<typeof Part>, content_index: number, place: object): [string, object][] {
  const { type, text, refusal } = part;
  const at = { ...place, content_index };
  const isText = type === "output_text";
  const field = isText ? "text" : "refusal";
  const words = isText ? text : refusal;
  const events: [string, object][] = [
    [
      `response.${isText ? "output_text" : "refusal"}.delta`,
      { ...at, delta: words, ...(isText && NO_LOGPROBS) },
    ],
    [
      `response.${isText ? "output_text" : "refusal"}.done`,
      { ...at, [field]: words, ...(isText && NO_LOGPROBS) },
    ],
  ];
  const isKnown = typeof words === "string";
  return [
    ["response.content_part.added", { ...at, part: isKnown ? { ...part, [field]: "" } : part }],
    ...(isKnown ? events : []),
    ["response.content_part.done", { ...at, part }],
  ];
}

const NO_LOGPROBS = { logprobs: [] };
