import { jsonExcess } from "../../json/bounds.ts";
import { parseJson } from "../../json/parse.ts";
import { ENDPOINTS, EVENT_NAME } from "../agent-v2.ts";
import {
  GROUPS_MAX,
  ID_LENGTH_MAX,
  KEY_LENGTH_MAX,
  MODEL_LENGTH_MAX,
  NAME_LENGTH_MAX,
  REQUESTS_MAX,
  TAG_LISTS_MAX,
  TAGS_MAX,
  TRIED_MAX,
  USER_MODELS_MAX,
} from "./bounds.ts";
import { isBytesBody, readBytesBody } from "./bytes-body.ts";
import { type FrameOf, isPiece, NodeFrame, type NodeFrameKind, type TicketFields } from "./frames.ts";
import { isLong, readLong } from "./long-text.ts";

type Fields = Record<string, unknown>;
type Check<Kind extends NodeFrameKind> = (fields: Fields) => FrameOf<Kind> | undefined;

const KINDS: ReadonlySet<string> = new Set(NodeFrame.options.map(({ shape }) => shape.kind.value));
const ENDPOINT_NAMES: ReadonlySet<unknown> = new Set(ENDPOINTS);
const PRIORITIES: ReadonlySet<unknown> = new Set(["high", "normal", "low"]);

/**
 * Returns the frame, without the fields that this version does not know; "unknown" if its kind is not known, and
 * "malformed" if its shape is wrong. The frequent kinds are checked by hand, which is several times as fast.
 */
export function checkFrame(value: unknown): NodeFrame | "unknown" | "malformed" {
  if (!isObject(value)) return "malformed";
  const { kind } = value;
  const byHand =
    typeof kind === "string" && Object.hasOwn(HOT, kind) ? HOT[kind as keyof typeof HOT] : undefined;
  if (byHand) return byHand(value) ?? "malformed";
  if (typeof kind !== "string") return "malformed";
  if (!KINDS.has(kind)) return "unknown";
  const { success, data } = NodeFrame.safeParse(value);
  return success ? data : "malformed";
}

/** Shorter texts take a parser less than 100 ms, whatever they are. */
const UNBOUNDED_LENGTH = 128 * 1024;
/** A frame may have as many values: a long list, such as that of all agents, has a few hundred thousand. */
const VALUES_MAX = 2_000_000;

/** Returns the frames in the body of a message, unchecked, or undefined if it has none. Bytes in them are views of it. */
export function readBody(body: Buffer): unknown[] | undefined {
  if (!isBytesBody(body)) return readFrames(body.toString());
  const frame = readBytesBody(body);
  return frame === undefined ? undefined : [frame];
}

/** Returns the frames in a text, unchecked: one, or those of a list. Undefined if it is not such a text. */
export function readFrames(text: string): unknown[] | undefined {
  if (isLong(text)) {
    const frame = readLong(text);
    return frame === undefined ? undefined : [frame];
  }
  if (text.length > UNBOUNDED_LENGTH && jsonExcess(text, VALUES_MAX) !== undefined) return undefined;
  const value = parseJson(text);
  if (Array.isArray(value)) return value;
  return isObject(value) ? [value] : undefined;
}

/** The kinds that are frequent. Each check does as the schema of its kind. */
const HOT = {
  delta: (({ slot, data, event }) => {
    if (!isId(slot) || typeof data !== "string") return undefined;
    if (event === undefined) return { kind: "delta", slot, data };
    const isName = isText(event, EVENT_NAME.lengthMax) && EVENT_NAME.pattern.test(event);
    return isName ? { kind: "delta", slot, data, event } : undefined;
  }) satisfies Check<"delta">,
  bytes: (({ slot, data }) =>
    isId(slot) && isPiece(data) ? { kind: "bytes", slot, data } : undefined) satisfies Check<"bytes">,
  ack: (({ slot, bytes }) =>
    isId(slot) && isCount(bytes) ? { kind: "ack", slot, bytes } : undefined) satisfies Check<"ack">,
  accept: (({ slot }) => (isId(slot) ? { kind: "accept", slot } : undefined)) satisfies Check<"accept">,
  alive: (({ slot }) => (isId(slot) ? { kind: "alive", slot } : undefined)) satisfies Check<"alive">,
  forget: (({ ticket, taken }) =>
    isId(ticket) && isFlag(taken) ? { kind: "forget", ticket, taken } : undefined) satisfies Check<"forget">,
  free: (({ free }) => {
    const counts = isObject(free) ? countsOf(free) : undefined;
    return counts && { kind: "free", free: counts };
  }) satisfies Check<"free">,
  seek: (({ ticket }) => {
    const fields = isObject(ticket) ? ticketOf(ticket) : undefined;
    return fields && { kind: "seek", ticket: fields };
  }) satisfies Check<"seek">,
} satisfies { [Kind in NodeFrameKind]?: Check<Kind> };

/** The kinds that are checked by hand. */
export const HOT_KINDS = Object.keys(HOT) as (keyof typeof HOT)[];

function countsOf(free: Fields): Record<string, number> | undefined {
  const counts: Record<string, number> = {};
  let size = 0;
  for (const [key, value] of Object.entries(free)) {
    if (key === "__proto__") continue;
    size += 1;
    if (key.length > KEY_LENGTH_MAX || !isCount(value) || size > GROUPS_MAX) return undefined;
    counts[key] = value;
  }
  return counts;
}

function ticketOf(fields: Fields): TicketFields | undefined {
  const { id, user, priority, waited_ms, pin, prefer, tags, model, models, v1, repeatable } = fields;
  const isRight =
    isId(id) &&
    (user === null || isName(user)) &&
    PRIORITIES.has(priority) &&
    isMs(waited_ms) &&
    isOptional(pin, isId) &&
    isOptional(prefer, isId) &&
    isOptional(tags, (lists) => isList(lists, TAG_LISTS_MAX, (names) => isList(names, TAGS_MAX, isName))) &&
    isOptional(model, (name) => isText(name, MODEL_LENGTH_MAX)) &&
    isOptional(models, (names) => isList(names, USER_MODELS_MAX, isName)) &&
    isFlag(v1) &&
    isFlag(repeatable);
  const requests = isRight ? listOf(fields["requests"], REQUESTS_MAX, requestOf) : undefined;
  const tried = requests && listOf(fields["tried"], TRIED_MAX, triedOf);
  if (!requests || !tried) return undefined;
  const known = requests.filter(({ endpoint }) => ENDPOINT_NAMES.has(endpoint));
  const ticket: Fields = { id, user, priority, waited_ms, v1, requests: known, tried, repeatable };
  for (const [name, value] of Object.entries({ pin, prefer, tags, model, models }))
    if (value !== undefined) ticket[name] = value;
  return ticket as unknown as TicketFields;
}

function requestOf({ endpoint, stream }: Fields): Fields | undefined {
  return isName(endpoint) && isFlag(stream) ? { endpoint, stream } : undefined;
}

function triedOf({ agent, repeatable }: Fields): Fields | undefined {
  return isId(agent) && isFlag(repeatable) ? { agent, repeatable } : undefined;
}

function listOf(
  value: unknown,
  max: number,
  itemOf: (fields: Fields) => Fields | undefined,
): Fields[] | undefined {
  if (!Array.isArray(value) || value.length > max) return undefined;
  const items: Fields[] = [];
  for (const each of value) {
    const item = isObject(each) ? itemOf(each) : undefined;
    if (!item) return undefined;
    items.push(item);
  }
  return items;
}

const isObject = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isText = (value: unknown, max: number): value is string =>
  typeof value === "string" && value.length <= max;
const isId = (value: unknown): value is string => isText(value, ID_LENGTH_MAX) && value !== "";
const isName = (value: unknown) => isText(value, NAME_LENGTH_MAX);
const isFlag = (value: unknown): value is boolean => typeof value === "boolean";
const isMs = (value: unknown): value is number => Number.isFinite(value) && (value as number) >= 0;
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isOptional = (value: unknown, isRight: (value: unknown) => boolean) =>
  value === undefined || isRight(value);
const isList = (value: unknown, max: number, isRight: (value: unknown) => boolean) =>
  Array.isArray(value) && value.length <= max && value.every(isRight);
