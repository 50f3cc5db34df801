import { timingSafeEqual } from "node:crypto";
import { deriveKey } from "../../auth/secret.ts";
import { ownBytes } from "../../protocol/bytes/free-bytes.ts";

/**
 * The head of a message. `epoch` is the sender's number for what it has with the receiver, `peer` the receiver's, as
 * far as the sender knows it: each end makes a new one, at random, whenever both begin anew.
 */
export interface Head {
  from: string;
  /** The id of a node; `ALL` for a beat. */
  to: string;
  epoch: string;
  peer: string;
  /** The number of a message with frames, from 1. Others have none. */
  seq?: number | undefined;
  /** The message has a piece of this large frame. */
  piece?: number | undefined;
  /** The piece is the last one. */
  last?: true | undefined;
}

export const ALL = "*";

/** The length of a SHA-256 as base64url. */
const PROOF_LENGTH = 43;
const HEAD_LENGTH_MAX = 1024;
const NEWLINE = 0x0a;
const ROOM = " ".repeat(PROOF_LENGTH);

/** The room for a proof and a head: each of the four texts in it has at most 768 bytes, when all is escaped. */
const ROOM_BYTES = 4096;

/** The bytes of a message besides its body, at most. */
export const OVERHEAD_BYTES = PROOF_LENGTH + HEAD_LENGTH_MAX + 1;

/** The body of a message, with room for the rest before it: so bytes are copied once on their way into a message. */
export interface RoomyBody {
  readonly buffer: Buffer;
  /** The bytes of the body. */
  readonly byteLength: number;
}

/** Returns a body of a text and bytes, which are copied. */
export function roomyBody(text: string, bytes: Uint8Array): RoomyBody {
  const byteLength = Buffer.byteLength(text) + bytes.byteLength;
  const buffer = ownBytes(Buffer.allocUnsafeSlow(ROOM_BYTES + byteLength));
  buffer.write(text, ROOM_BYTES);
  buffer.set(bytes, ROOM_BYTES + byteLength - bytes.byteLength);
  return { buffer, byteLength };
}

/**
 * Writes and reads the messages of one cluster: the proof, the head as JSON, a line break, and the body. The proof is
 * the HMAC-SHA-256 of all after it, as base64url, under a key that is derived from the cluster key and the cluster's
 * name by HKDF-SHA-256 (RFC 5869). So only the nodes of the cluster can write a message, for one receiver and, by the
 * epochs and the number in its head, for one moment.
 */
export class Messages {
  readonly #hmac: Bun.CryptoHasher;

  constructor(clusterKey: string, clusterName: string) {
    const key = deriveKey(clusterKey, `messages 1 ${clusterName}`);
    this.#hmac = new Bun.CryptoHasher("sha256", Buffer.from(key));
  }

  write(head: Head, body: string): Buffer {
    const message = Buffer.from(`${ROOM}${JSON.stringify(head)}\n${body}`);
    message.write(this.#proofOf(message), "latin1");
    return message;
  }

  /** Writes the rest of a message before its body, and returns the whole. Call it once for a body. */
  complete(head: Head, { buffer }: RoomyBody): Buffer {
    const text = `${JSON.stringify(head)}\n`;
    const message = buffer.subarray(ROOM_BYTES - PROOF_LENGTH - Buffer.byteLength(text));
    message.write(text, PROOF_LENGTH);
    message.write(this.#proofOf(message), "latin1");
    return message;
  }

  /** Returns undefined if the proof is wrong. */
  read(bytes: Uint8Array): { head: Head; body: Buffer } | undefined {
    const message = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const headEnd = message.subarray(0, OVERHEAD_BYTES).indexOf(NEWLINE, PROOF_LENGTH);
    if (headEnd < 0) return undefined;
    const proof = Buffer.from(this.#proofOf(message), "latin1");
    if (!timingSafeEqual(message.subarray(0, PROOF_LENGTH), proof)) return undefined;
    const head = headOf(message.toString("utf8", PROOF_LENGTH, headEnd));
    return head && { head, body: message.subarray(headEnd + 1) };
  }

  #proofOf(message: Buffer): string {
    return this.#hmac.copy().update(message.subarray(PROOF_LENGTH)).digest("base64url");
  }
}

function headOf(text: string): Head | undefined {
  let head: Partial<Record<keyof Head, unknown>> | null;
  try {
    head = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof head !== "object" || head === null) return undefined;
  const { from, to, epoch, peer, seq, piece, last } = head;
  const isComplete = isText(from) && from !== "" && isText(to) && isText(epoch) && isText(peer);
  if (!isComplete || !isNumber(seq) || !isNumber(piece)) return undefined;
  return { from, to, epoch, peer, seq, piece, last: last === true ? true : undefined };
}

const isText = (value: unknown): value is string => typeof value === "string" && value.length <= 128;
const isNumber = (value: unknown): value is number | undefined =>
  value === undefined || (Number.isSafeInteger(value) && (value as number) > 0);
