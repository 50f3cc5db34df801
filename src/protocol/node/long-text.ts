import { parseJson } from "../../json/parse.ts";
import type { NodeFrame } from "./frames.ts";

/** Nothing that `JSON.stringify` writes begins with one. */
const BREAK = "\n";

/**
 * Returns a frame of which a text is longer than `max`, such as the body of a request, as a line break, its JSON without
 * the text, a line break, and the text as it is: to escape 20 MB at one end and parse them at the other blocks both.
 * Returns undefined for other frames.
 */
export function writeLong(frame: NodeFrame, max: number): string | undefined {
  const parts = partsOf(frame);
  // A half of a character has no UTF-8.
  if (!parts?.text.isWellFormed()) return undefined;
  if (parts.text.length <= max) return undefined;
  return `${BREAK}${JSON.stringify(parts.rest)}${BREAK}${parts.text}`;
}

/** Whether the text is such a frame. */
export const isLong = (text: string): boolean => text.startsWith(BREAK);

/** Returns the frame, unchecked; undefined if the text is not one. */
export function readLong(text: string): unknown {
  const end = text.indexOf(BREAK, 1);
  const frame = end < 0 ? undefined : parseJson(text.slice(1, end));
  const [holder, name] = isObject(frame) ? placeIn(frame) : [];
  if (!isObject(holder) || name === undefined) return undefined;
  holder[name] = text.slice(end + 1);
  return frame;
}

function partsOf(frame: NodeFrame): { rest: object; text: string } | undefined {
  switch (frame.kind) {
    case "run": {
      if (!("body" in frame.what)) return undefined;
      const { body: text, ...what } = frame.what;
      return { rest: { ...frame, what }, text };
    }
    case "done": {
      if (frame.answer.kind !== "model" || frame.answer.body === undefined) return undefined;
      const { body: text, ...answer } = frame.answer;
      return { rest: { ...frame, answer }, text };
    }
    case "again": {
      const { body: text, ...rest } = frame;
      return text === undefined ? undefined : { rest, text };
    }
    case "delta": {
      const { data: text, ...rest } = frame;
      return { rest, text };
    }
    case "response_found": {
      const { response: text, ...rest } = frame;
      return text === undefined ? undefined : { rest, text };
    }
    default:
      return undefined;
  }
}

/** Returns what has the text, and the name of the field. */
function placeIn(frame: Fields): [holder: unknown, name: string] | [] {
  switch (frame["kind"]) {
    case "run":
      return [frame["what"], "body"];
    case "done":
      return [frame["answer"], "body"];
    case "again":
      return [frame, "body"];
    case "delta":
      return [frame, "data"];
    case "response_found":
      return [frame, "response"];
    default:
      return [];
  }
}

type Fields = Record<string, unknown>;
const isObject = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);
