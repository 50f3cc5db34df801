import { z } from "zod";
import { parseJson } from "../../json/parse.ts";
import type { ServerEvent } from "../middleware/event-stream.ts";
import { type KeptResponse, outputOf } from "../models/responses/kept-response.ts";
import { Typed } from "../models/responses/schema.ts";

/** The state of a response in the background that had not ended when it was stored. */
export interface Running {
  /** The process that works on it. */
  holder: string;
}

/** A response as it is stored, with its events if it was streamed and they were not too many. */
export interface StoredResponse {
  response: KeptResponse;
  events: readonly ServerEvent[] | undefined;
  running: Running | undefined;
}

/** A conversation of `/v1/conversations`. */
export interface KeptConversation {
  id: string;
  /** Seconds since 1970. */
  createdAt: number;
  metadata: Record<string, unknown>;
  items: readonly Typed[];
  /** An answer was too long to be added, so that it cannot be continued. */
  isFull: boolean;
}

const text = z.string();

const ResponseText = z.object({
  ...{ id: text, request: text, answer: text, model: text, at: z.number(), isNative: z.boolean() },
  ...{ previous: text.optional(), agent: text.optional(), input: z.array(Typed).optional() },
  events: z.array(z.tuple([text, text])).optional(),
  running: z.object({ holder: text }).optional(),
});

/** A response in the memory of a node, as others get it. */
const HeldText = ResponseText.omit({ events: true, running: true }).extend({
  now: text.optional(),
  isRunning: z.boolean(),
});

const ConversationText = z.object({
  ...{ id: text, createdAt: z.number(), metadata: z.record(text, z.unknown()) },
  ...{ items: z.array(Typed), isFull: z.boolean() },
});

/** Returns the bytes to store, and the ids of the items that may be referred to. */
export async function encodeResponse({ response, events, running }: StoredResponse) {
  const { length: _, ...fields } = response;
  const pairs = events?.map(({ event, data }) => [event, data]);
  const body = await packed({ ...fields, events: pairs, running });
  const ids = running ? [] : outputOf(response).map((item) => item["id"]);
  return { body, items: ids.filter((id) => typeof id === "string") };
}

/** Returns the response of stored bytes; undefined if they are not readable, or are something else. */
export async function decodeResponse(body: Uint8Array): Promise<StoredResponse | undefined> {
  const found = ResponseText.safeParse(await unpacked(body)).data;
  if (!found) return undefined;
  const { events, running, ...rest } = found;
  return {
    response: keptOf(rest),
    events: events?.map(([event, data]) => ({ event, data })),
    running,
  };
}

/** A response in the memory of a node. */
export interface Held {
  response: KeptResponse;
  /** The event that has its present state, if it is being made. */
  now: string | undefined;
  isRunning: boolean;
}

/** Returns the response as text, for another node. */
export function writeHeld({ response, now, isRunning }: Held): string {
  const { length: _, ...fields } = response;
  return JSON.stringify({ ...fields, now, isRunning });
}

/** Returns undefined if the text has no response. */
export function readHeld(text: string): Held | undefined {
  const found = HeldText.safeParse(parseJson(text)).data;
  if (!found) return undefined;
  const { now, isRunning, ...rest } = found;
  return { response: keptOf(rest), now, isRunning };
}

function keptOf({ previous, agent, input, ...rest }: Omit<z.output<typeof HeldText>, "now" | "isRunning">) {
  return { ...rest, previous, agent, input, length: rest.request.length + rest.answer.length };
}

export const encodeConversation = (conversation: KeptConversation): Promise<Uint8Array> =>
  packed(conversation);

export async function decodeConversation(body: Uint8Array): Promise<KeptConversation | undefined> {
  return ConversationText.safeParse(await unpacked(body)).data;
}

/** Off the event loop, as a long answer takes milliseconds. */
const packed = async (value: unknown): Promise<Uint8Array> => Bun.zstdCompress(JSON.stringify(value));

async function unpacked(body: Uint8Array): Promise<unknown> {
  try {
    return parseJson(new TextDecoder().decode(await Bun.zstdDecompress(body)));
  } catch {
    return undefined;
  }
}
