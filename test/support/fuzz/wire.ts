import type { Random } from "../random.ts";
import type { Line } from "./failures.ts";

/** A response of the upstream, as bytes that are sent in these pieces. */
export interface WireResponse {
  status: number;
  headers: Record<string, string>;
  /** Each in base64. */
  pieces: string[];
  /** Whether the connection is reset after the last piece. */
  isReset: boolean;
}

const STREAM_TYPES = [
  ...["text/event-stream", "text/event-stream; charset=utf-8", "application/json", "text/plain"],
  ...["application/octet-stream", "application/x-ndjson", "TEXT/EVENT-STREAM;charset=UTF-8", ""],
];
const WHOLE_TYPES = ["application/json", "application/json; charset=utf-8", "text/plain", "text/html", ""];

interface StreamWire {
  lines: readonly Line[];
  /** Whether the stream ends with `[DONE]`. */
  isDone: boolean;
  isReset: boolean;
  comment?: string | undefined;
}

/** Writes a stream of events in one of the many ways that the standard allows. */
export function streamResponse(wire: StreamWire, random: Random): WireResponse {
  const { lines, isDone, isReset } = wire;
  const isPlain = random.below(3) > 0;
  const eol = random.pick(["\n", "\n", "\n", "\r\n", "\r"]);
  const space = random.pick([" ", " ", ""]);
  const countDone = isDone ? 1 + Number(!isPlain && random.below(4) === 0) : 0;
  const all = [...lines, ...Array.from({ length: countDone }, (): Line => ({ data: "[DONE]" }))];
  const start = isPlain ? "" : random.pick(["", "\ufeff", eol, `: hello${eol}${eol}`]);
  const events = all.map(
    (line) => between(wire, isPlain, eol, random) + eventText(line, isPlain, space, eol, random),
  );
  const text = start + events.join("");
  // The blank line after the last event is often missing.
  const sent = isDone && random.below(4) === 0 ? text.slice(0, -eol.length) : text;
  return { status: 200, headers: typeOf(random.pick(STREAM_TYPES)), pieces: cutBytes(sent, random), isReset };
}

function between({ comment }: StreamWire, isPlain: boolean, eol: string, random: Random): string {
  if (comment !== undefined && random.below(3) === 0) return `: ${comment}${eol}${eol}`;
  const fields = ["", `:${eol}`, `id: 7${eol}`, `retry: 1000${eol}`, `:x${eol}${eol}`, eol];
  return isPlain ? "" : random.pick(fields);
}

function eventText(
  { data, event }: Line,
  isPlain: boolean,
  space: string,
  eol: string,
  random: Random,
): string {
  const name = event ?? (isPlain || random.below(4) > 0 ? undefined : "message");
  const parts = isPlain || random.below(4) > 0 ? [data] : brokenJson(data);
  const fields = parts.map((part) => `data:${space}${part}${eol}`).join("");
  return `${name === undefined ? "" : `event:${space}${name}${eol}`}${fields}${eol}`;
}

/** Writes a whole body. */
export function wholeResponse(text: string, status: number, isReset: boolean, random: Random): WireResponse {
  return { status, headers: typeOf(random.pick(WHOLE_TYPES)), pieces: cutBytes(text, random), isReset };
}

/** Writes JSON in one of the many ways that mean the same. */
export function jsonText(value: unknown, random: Random): string {
  const text = random.below(3) === 0 ? JSON.stringify(value, null, 2) : JSON.stringify(value);
  return random.pick(["", "", "\ufeff", "\n \t"]) + text + random.pick(["", "", "\n", "\r\n "]);
}

const typeOf = (type: string): Record<string, string> => (type === "" ? {} : { "content-type": type });

/** Returns the same JSON on several lines; other data as it is. */
function brokenJson(data: string): string[] {
  try {
    return JSON.stringify(JSON.parse(data), null, 1).split("\n");
  } catch {
    return [data];
  }
}

const PIECES_MAX = 300;

/** Cuts a text anywhere, also within a character or a line break. */
function cutBytes(text: string, random: Random): string[] {
  const bytes = Buffer.from(text);
  const sizeMax = random.pick([1, 3, 17, 200, 5000, bytes.length + 1]);
  const pieces: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const size = pieces.length === PIECES_MAX - 1 ? bytes.length : 1 + random.below(sizeMax);
    pieces.push(bytes.subarray(at, at + size).toString("base64"));
    at += size;
  }
  return pieces;
}
