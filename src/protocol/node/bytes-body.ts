import { parseJson } from "../../json/parse.ts";
import type { FrameOf } from "./frames.ts";

/*
 * A frame with bytes, the body of one message: a line break, the JSON of the frame without its bytes, a line break, and
 * the bytes as they are. No other body begins with a line break.
 */

const BREAK = 0x0a;
/** The JSON has the id of a slot, of which each character may be escaped. */
const JSON_BYTES_MAX = 1024;

/** Returns what stands before the bytes. */
export function writeBytesHead({ kind, slot }: FrameOf<"bytes">): string {
  return `\n${JSON.stringify({ kind, slot })}\n`;
}

/** Whether the body is such a frame. */
export const isBytesBody = (body: Uint8Array): boolean => body[0] === BREAK;

/** Returns the frame, unchecked, with a copy of the bytes; undefined if the body is not one. */
export function readBytesBody(body: Uint8Array): unknown {
  const end = body.subarray(0, JSON_BYTES_MAX).indexOf(BREAK, 1);
  if (end < 0) return undefined;
  const head = parseJson(Buffer.from(body.buffer, body.byteOffset + 1, end - 1).toString());
  if (typeof head !== "object" || head === null || !("kind" in head) || head.kind !== "bytes")
    return undefined;
  return { ...head, data: new Uint8Array(body.subarray(end + 1)) };
}
