import { ASK_ID_LENGTH_MAX } from "../agent-v2.ts";
import { PIECE_BYTES_MAX, type Piece } from "./window.ts";

/*
 * Bytes of the body of an ask, or of its answer, in a binary frame: the length of the ask's id in one byte, the id in
 * ASCII, and the bytes.
 */

let scratch: Uint8Array<ArrayBuffer> | undefined;

/** Returns the message of a piece. It is overwritten by the next one, as sockets copy what they cannot send at once. */
export function writePiece({ ask, bytes }: Piece): Uint8Array<ArrayBuffer> {
  scratch ??= new Uint8Array(1 + ASK_ID_LENGTH_MAX + PIECE_BYTES_MAX);
  const length = Buffer.from(scratch.buffer).write(ask, 1, "latin1");
  scratch[0] = length;
  scratch.set(bytes, 1 + length);
  return scratch.subarray(0, 1 + length + bytes.byteLength);
}

/** Returns undefined for a message that is not a piece, such as JSON in a binary frame. */
export function readPiece(message: Uint8Array): Piece | undefined {
  const length = message[0] ?? 0;
  if (length === 0 || length > ASK_ID_LENGTH_MAX || message.byteLength <= 1 + length) return undefined;
  const ask = Buffer.from(message.buffer, message.byteOffset + 1, length).toString("latin1");
  return { ask, bytes: message.subarray(1 + length) };
}
