import { BoundedMap } from "../../../bounded-map.ts";
import { HOUR_MS } from "../../../durations.ts";
import { AppError } from "../../../errors.ts";
import { parseJson } from "../../../json/parse.ts";
import { type Principal, userIdOf } from "../../../principal.ts";
import { inputOf, type KeptResponse, outputIn, outputOf, responseOf } from "./kept-response.ts";
import { KeptTexts } from "./kept-texts.ts";
import { Typed } from "./schema.ts";

/** An item of an earlier answer, and the response that it is from. */
export interface KeptItem {
  item: Typed;
  responseId: string;
}

/**
 * The responses that one caller has received lately, for one request. One that refers to more than a body may hold
 * gets `body_too_large`: a short body could name a long answer a thousand times.
 */
export interface OwnResponses {
  /** Returns an item of an answer; undefined if it is not known. */
  item(id: string): KeptItem | undefined;
  /** Returns a response; undefined if it is not known. */
  response(id: string): KeptResponse | undefined;
  /** Returns all items up to the end of a response that has not failed; undefined if one of them is not known. */
  conversation(responseId: string): Typed[] | undefined;
  /** Returns why there is no `conversation` up to the end of this response. */
  whyNot(responseId: string): WhyNot;
  /** Returns the same for another form of the request, which may refer to as much. */
  again(): OwnResponses;
  /** Whether a response is being made. */
  isBeingMade?: ((responseId: string) => boolean) | undefined;
  /** Why responses cannot be continued that were found elsewhere before they had ended. */
  notEnded?: ReadonlyMap<string, WhyNot> | undefined;
  /** The items of the conversation that the request names; undefined if it names none, or one that is not known. */
  conversationItems?: readonly Typed[] | undefined;
}

export type WhyNot = "unknown" | "being_made" | "failed" | "too_long";

/** How long an answer is kept after it was last referred to. */
export const RESPONSE_AGE_MS = 6 * HOUR_MS;
export const CHAIN_LENGTH_MAX = 1000;

/** The parts of the memory: items have one of their own, so that no long input displaces them. */
const ITEMS_SHARE = 0.25;
const RESPONSES_SHARE = 0.375;

/** The responses of an owner whose items can be found only after they were looked for. */
const UNREAD_MAX = 1000;
const OWNERS_MAX = 10_000;

interface ResponseMemoryOptions {
  bytesMax: number;
  /** The most characters to which one request may refer. */
  recalledLengthMax: number;
  now: () => number;
}

export type ResponseMemory = ReturnType<typeof createResponseMemory>;

interface ItemText {
  text: string;
  responseId: string;
  length: number;
}

/**
 * Keeps responses in memory for a while: the AI SDK refers to the items of earlier answers by their ids, and agents to
 * whole responses by `previous_response_id`. A restart forgets them, unless they are stored. With 0 bytes nothing is
 * kept. To keep a response costs next to nothing: it is read only when its caller refers to something.
 */
export function createResponseMemory({ bytesMax, recalledLengthMax, now }: ResponseMemoryOptions) {
  const shareOf = (share: number) => ({ bytesMax: bytesMax * share, ageMs: RESPONSE_AGE_MS, now });
  const responses = new KeptTexts<KeptResponse>(shareOf(RESPONSES_SHARE));
  const items = createItemIndex(new KeptTexts(shareOf(ITEMS_SHARE)), responses);

  return {
    isOn: bytesMax > 0,

    /** Returns the responses of the caller for one request, if any are kept. */
    of(principal: Principal): OwnResponses | undefined {
      if (bytesMax === 0) return undefined;
      return ownResponses({ owner: userIdOf(principal), responses, items, recalledLengthMax });
    },

    keep(owner: string | null, response: KeptResponse): void {
      if (bytesMax === 0) return;
      responses.set(owner, response.id, response);
      items.noteUnread(owner, response.id);
    },

    find: (owner: string | null, id: string): KeptResponse | undefined => responses.get(owner, id),

    /** Returns the id of the response that an item is from. */
    responseOfItem: (owner: string | null, id: string): string | undefined =>
      items.find(owner, id)?.responseId,

    /** Forgets a response with its items. */
    delete(owner: string | null, id: string): boolean {
      const response = responses.get(owner, id);
      if (!response) return false;
      for (const item of outputOf(response)) items.delete(owner, String(item["id"]));
      return responses.delete(owner, id);
    },

    /** Forgets the responses of a user. */
    forget(userId: string): void {
      items.forget(userId);
      responses.forget(userId);
    },
  };
}

interface OwnResponsesOptions {
  owner: string | null;
  responses: KeptTexts<KeptResponse>;
  items: ReturnType<typeof createItemIndex>;
  recalledLengthMax: number;
  /** The conversations that another form of the request has read. */
  read?: Map<string, { items: Typed[]; length: number }>;
}

function ownResponses(options: OwnResponsesOptions): OwnResponses {
  const { owner, responses, items, recalledLengthMax, read = new Map() } = options;
  let lengthLeft = recalledLengthMax;
  const count = (length: number) => {
    lengthLeft -= length;
    if (lengthLeft < 0) throw tooLarge(recalledLengthMax);
  };
  const own: OwnResponses = {
    item(id) {
      const known = items.find(owner, id);
      if (!known) return undefined;
      count(known.length);
      const item = Typed.safeParse(parseJson(known.text)).data;
      return item && { item, responseId: known.responseId };
    },

    response: (id) => responses.get(owner, id),

    conversation(responseId) {
      const known = read.get(responseId);
      if (known) count(known.length);
      if (known) return known.items;
      const before = lengthLeft;
      const found = conversationUpTo(responses, owner, responseId, count);
      if (found) read.set(responseId, { items: found, length: before - lengthLeft });
      return found;
    },

    whyNot: (responseId) =>
      own.isBeingMade?.(responseId)
        ? "being_made"
        : (own.notEnded?.get(responseId) ?? whyNotUpTo(responses, owner, responseId)),

    again: () => {
      const { isBeingMade, notEnded, conversationItems } = own;
      return Object.assign(ownResponses({ ...options, read }), { isBeingMade, notEnded, conversationItems });
    },
  };
  return own;
}

/** Returns all items up to the end of the response; undefined if one response is not known, or not usable. */
function conversationUpTo(
  responses: KeptTexts<KeptResponse>,
  owner: string | null,
  responseId: string,
  count: (length: number) => void,
): Typed[] | undefined {
  const parts: Typed[][] = [];
  let id: string | undefined = responseId;
  while (id !== undefined) {
    const response: KeptResponse | undefined = responses.get(owner, id);
    const made = response && responseOf(response);
    if (!response || hasFailed(made) || parts.length === CHAIN_LENGTH_MAX) return undefined;
    const turn = [...inputOf(response), ...outputIn(made)];
    count(JSON.stringify(turn).length);
    parts.push(turn);
    id = response.previous;
  }
  return parts.reverse().flat();
}

function whyNotUpTo(responses: KeptTexts<KeptResponse>, owner: string | null, responseId: string): WhyNot {
  let id: string | undefined = responseId;
  for (let length = 0; id !== undefined; length++) {
    const response: KeptResponse | undefined = responses.get(owner, id);
    if (!response) return "unknown";
    if (length === CHAIN_LENGTH_MAX) return "too_long";
    if (hasFailed(responseOf(response))) return "failed";
    id = response.previous;
  }
  return "unknown";
}

/** Finds the items of responses by their ids. A response is read only when its owner looks for an item. */
function createItemIndex(items: KeptTexts<ItemText>, responses: KeptTexts<KeptResponse>) {
  const unread = new Map<string | null, BoundedMap<string, true>>();

  /** Reads the responses that came since the last time. */
  function read(owner: string | null): void {
    const ids = unread.get(owner)?.keys() ?? [];
    unread.delete(owner);
    for (const id of ids) {
      const response = responses.get(owner, id);
      for (const item of response ? usableOutput(response) : []) {
        if (typeof item["id"] !== "string") continue;
        const text = JSON.stringify(item);
        items.set(owner, item["id"], { text, responseId: id, length: text.length });
      }
    }
  }

  return {
    noteUnread(owner: string | null, id: string): void {
      const ids = unread.get(owner) ?? new BoundedMap<string, true>(UNREAD_MAX);
      ids.set(id, true);
      unread.delete(owner);
      unread.set(owner, ids);
      if (unread.size <= OWNERS_MAX) return;
      const [longest] = unread.keys();
      if (longest !== undefined) read(longest);
    },

    find(owner: string | null, id: string): ItemText | undefined {
      read(owner);
      return items.get(owner, id);
    },

    delete: (owner: string | null, id: string): boolean => items.delete(owner, id),

    forget(userId: string): void {
      items.forget(userId);
      unread.delete(userId);
    },
  };
}

function usableOutput(response: KeptResponse): Typed[] {
  const made = responseOf(response);
  return hasFailed(made) ? [] : outputIn(made);
}

function hasFailed(made: Record<string, unknown> | undefined): boolean {
  const status = made?.["status"];
  return status === "failed" || status === "cancelled" || status === "queued" || status === "in_progress";
}

function tooLarge(lengthMax: number): AppError {
  const hint = `The earlier answers that it refers to have more than ${lengthMax} characters. Refer to each of them once, or begin a new conversation.`;
  return new AppError("body_too_large", { hint });
}
