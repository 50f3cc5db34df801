import { AppError } from "../../errors.ts";
import type { Typed } from "../models/responses/schema.ts";
import type { ItemsQuery } from "./schema.ts";

/** An item with its id, as lists have it. */
type NamedItem = Typed & { id: string };

/** Returns a page of items, which are in the order of the conversation. Throws `request_invalid`. */
export function pageOf(items: readonly Typed[], { limit, order, after }: ItemsQuery) {
  const named = items.map(withStatus);
  const sorted = order === "asc" ? named : named.reverse();
  const start = after === undefined ? 0 : sorted.findIndex(({ id }) => id === after) + 1;
  if (after !== undefined && start === 0)
    throw new AppError("request_invalid", { param: "after", hint: "`after` must be the id of an item." });
  const data = sorted.slice(start, start + limit);
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
