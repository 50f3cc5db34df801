import { AppError } from "../../errors.ts";
import type { Typed } from "../models/responses/schema.ts";
import { INCLUDABLE, type Includable, type ItemsQuery } from "./schema.ts";

/** An item with its id, as lists have it. */
type NamedItem = Typed & { id: string };

/** Returns a page of items, which are in the order of the conversation. Throws `request_invalid`. */
export function pageOf(items: readonly Typed[], { limit, order, after, include = [] }: ItemsQuery) {
  const named = items.map(withStatus);
  const sorted = order === "asc" ? named : named.reverse();
  const start = after === undefined ? 0 : sorted.findIndex(({ id }) => id === after) + 1;
  if (after !== undefined && start === 0)
    throw new AppError("request_invalid", { param: "after", hint: "`after` must be the id of an item." });
  const data = sorted.slice(start, start + limit).map((item) => withIncluded(item, include));
  return {
    object: "list" as const,
    data,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
    has_more: start + limit < sorted.length,
  };
}

/** Returns the item in the form of a list: a message has parts of content, and a status. */
export function withStatus(item: Typed, index = 0): NamedItem {
  const { id, content, role, status } = item;
  const type = item.type ?? "message";
  const kind = role === "assistant" ? "output_text" : "input_text";
  const parts = typeof content === "string" ? [{ type: kind, text: content }] : content;
  return {
    ...item,
    ...{ type, id: typeof id === "string" ? id : `item_${index}` },
    ...(type === "message" && { content: parts, status: status ?? "completed" }),
  };
}

type Fields = Record<string, unknown>;

/** Returns the item without the fields that a caller gets only if they name them. */
export function withIncluded(item: NamedItem, include: ItemsQuery["include"] = []): NamedItem {
  const named: readonly Includable[] = [include].flat();
  const known = { ...item };
  for (const name of INCLUDABLE)
    if (name.startsWith(`${item.type}.`) && !named.includes(name)) Object.assign(known, WITHOUT[name](known));
  return known;
}

/** Returns the changes of an item that is to be without the field. Some fields must be there. */
const WITHOUT: Record<Includable, (item: Fields) => Fields> = {
  "code_interpreter_call.outputs": ({ outputs }) => (outputs === undefined ? {} : { outputs: null }),
  "computer_call_output.output.image_url": ({ output }) => ({ output: without(output, "image_url") }),
  "file_search_call.results": ({ results }) => (results === undefined ? {} : { results: null }),
  "message.input_image.image_url": ({ content }) => ({
    content: eachPart(content, "input_image", (part) => ({ ...part, image_url: null })),
  }),
  "message.output_text.logprobs": ({ content }) => ({
    content: eachPart(content, "output_text", (part) =>
      part["logprobs"] ? { ...part, logprobs: [] } : part,
    ),
  }),
  "reasoning.encrypted_content": (item) => ("encrypted_content" in item ? { encrypted_content: null } : {}),
  "web_search_call.action.sources": ({ action }) => ({ action: without(action, "sources") }),
  "web_search_call.results": (item) => ("results" in item ? { results: null } : {}),
};

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function without(value: unknown, name: string): unknown {
  if (!isFields(value)) return value;
  const { [name]: _, ...rest } = value;
  return rest;
}

function eachPart(content: unknown, type: string, change: (part: Fields) => Fields): unknown {
  if (!Array.isArray(content)) return content;
  return content.map((part) => (isFields(part) && part["type"] === type ? change(part) : part));
}
