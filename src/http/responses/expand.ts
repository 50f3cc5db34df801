import { removeField, setFields } from "../../json/edit.ts";
import { field, textField } from "../../json/parse.ts";
import { isKeptUpstream, itemsOf, type KeptResponse } from "../models/responses/kept-response.ts";
import type { KeptItem, OwnResponses } from "../models/responses/memory.ts";
import { isReference } from "../models/responses/reference.ts";
import type { Typed } from "../models/responses/schema.ts";
import type { References } from "./shelf.ts";

/** Returns the ids that a request refers to. */
export function referencesOf(json: unknown): References {
  const items = itemsOf(field(json, "input")).flatMap((item) =>
    isReference(item) && typeof item["id"] === "string" ? [item["id"]] : [],
  );
  return { previous: textField(json, "previous_response_id"), items };
}

/** The input of a request with everything that it refers to. */
export interface ExpandedInput {
  /** All items, those of earlier answers too; undefined if the response that it continues is not known. */
  all: readonly Typed[] | undefined;
  /** The items of the request itself, with those that it refers to in their place. */
  own: readonly Typed[];
  /** The responses that it refers to. */
  responses: readonly KeptResponse[];
  /** Everything that it refers to is known. */
  isWhole: boolean;
}

/**
 * Puts the items in the place of what a request refers to. A reference that is not known stays. The items of an answer
 * that its upstream keeps lose what only that upstream understands: their ids, and reasoning without a text.
 */
export function expandInput(json: unknown, known: OwnResponses): ExpandedInput {
  const { previous } = referencesOf(json);
  const responses = new Map<string, KeptResponse>();
  const note = (id: string) => {
    const response = responses.get(id) ?? known.response(id);
    if (response) responses.set(id, response);
    return response;
  };
  let isWhole = true;
  const own = itemsOf(field(json, "input")).flatMap((item) => {
    if (!isReference(item) || typeof item["id"] !== "string") return [item];
    const found = known.item(item["id"]);
    isWhole &&= found !== undefined;
    return found ? itemFor(found, note(found.responseId)) : [item];
  });
  if (previous === undefined) {
    const all = [...(known.conversationItems ?? []), ...own];
    return { all, own, responses: [...responses.values()], isWhole };
  }
  const earlier = known.conversation(previous);
  const response = note(previous);
  const items = response && isKeptUpstream(response) ? earlier?.flatMap(portable) : earlier;
  const all = items && [...items, ...own];
  return { all, own, responses: [...responses.values()], isWhole: isWhole && all !== undefined };
}

const itemFor = ({ item }: KeptItem, response: KeptResponse | undefined): Typed[] =>
  response && isKeptUpstream(response) ? portable(item) : [item];

/** Returns the item as another upstream understands it. */
function portable(item: Typed): Typed[] {
  if (item.type === "reasoning" && !item["encrypted_content"] && !hasText(item["content"])) return [];
  const { id: _, ...rest } = item;
  return [rest];
}

const hasText = (content: unknown): boolean => Array.isArray(content) && content.length > 0;

/** Returns the body of a request that refers to nothing. */
export function expandedBody(text: string, items: readonly Typed[]): string {
  const fields = ["previous_response_id", "conversation"];
  return setFields(fields.reduce(removeField, text), { input: items });
}
