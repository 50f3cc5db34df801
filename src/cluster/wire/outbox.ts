import { PIECE_BYTES_MAX } from "../../protocol/bytes/window.ts";
import { writeBytesHead } from "../../protocol/node/bytes-body.ts";
import type { FrameOf, NodeFrame } from "../../protocol/node/frames.ts";
import { isLong, writeLong } from "../../protocol/node/long-text.ts";
import { type RoomyBody, roomyBody } from "./message.ts";

interface OutboxOptions {
  /** The longest body of a message, in bytes. It may change when NATS is reached again. */
  bodyMax: () => number;
  /** The length of large frames, and of those behind them, that may wait. */
  lengthMax: number;
  /** Whether bytes, or another piece of a large frame, may be sent: few enough are on their way. */
  hasRoom: () => boolean;
  /** Sends a message of frames: a JSON array. */
  sendFrames: (body: string) => void;
  /** Sends a piece of a large frame. */
  sendPiece: (text: string, piece: number, isLast: boolean) => void;
  /** Sends a frame with bytes. */
  sendBytes: (body: RoomyBody) => void;
  /** Runs once the turn of the event loop is over. */
  soon: (run: () => void) => void;
}

/** Pieces are this large, so that other frames pass soon. */
const PIECE_BYTES = 128 * 1024;
/** The large frames that are sent at once. */
const LANES_SERVED = 16;
/** A character of JSON has up to three bytes in UTF-8; a pair of surrogates has four. */
const BYTES_PER_UNIT = 3;

/** Frames of one slot, or of none, that wait because a large one, or bytes, before them are still being sent. */
interface Lane {
  waiting: Item[];
  first: LargeText | RoomyBody;
}

/** A frame as it is sent. */
type Item = string | RoomyBody;

interface LargeText {
  text: string;
  /** The bytes of a character of it, at most. */
  bytesPerUnit: number;
  /** The number of the frame. */
  piece: number;
  sent: number;
}

/**
 * The frames for one node: those of one turn of the event loop become one message. Large ones are sent in pieces,
 * between which others pass. Frames of one slot keep their order, and so do those without a slot.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  #batch: string[] = [];
  #batchUnits = 0;
  #isDue = false;
  #lanes = new Map<string, Lane>();
  #laneLength = 0;
  #pieces = 0;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /** The bytes that wait, about. */
  get bytes(): number {
    return this.#batchUnits + this.#laneLength;
  }

  /** Returns false if the frame is large, and too much waits before it: then it is not sent. */
  add(frame: NodeFrame): boolean {
    const name = laneOf(frame);
    if (frame.kind === "bytes") return this.#addBytes(name, frame);
    const text = writeLong(frame, this.#options.bodyMax()) ?? JSON.stringify(frame);
    const isTooMuch = this.#laneLength + text.length > this.#options.lengthMax;
    if (isTooMuch && (this.#lanes.has(name) || this.#isLarge(text))) return false;
    this.#append(name, text);
    return true;
  }

  #addBytes(name: string, frame: FrameOf<"bytes">): boolean {
    const { data } = frame;
    if (this.#laneLength + data.byteLength > this.#options.lengthMax) return false;
    const head = writeBytesHead(frame);
    const max = Math.min(PIECE_BYTES_MAX, this.#options.bodyMax() - Buffer.byteLength(head));
    for (let at = 0; at < data.byteLength; at += max)
      this.#append(name, roomyBody(head, data.subarray(at, at + max)));
    return true;
  }

  #append(name: string, item: Item): void {
    const lane = this.#lanes.get(name);
    if (!lane) this.#place(name, item);
    else {
      lane.waiting.push(item);
      this.#laneLength += lengthOf(item);
    }
  }

  /** Sends what waits, as far as it may be sent. Call it when there is room for pieces again. */
  flush(): void {
    this.#flushBatch();
    while (this.#lanes.size > 0 && this.#options.hasRoom()) {
      for (const [name, lane] of [...this.#lanes].slice(0, LANES_SERVED))
        if (this.#options.hasRoom()) this.#sendFirst(name, lane);
      this.#flushBatch();
    }
  }

  #isLarge(text: string): boolean {
    if (isLong(text)) return true;
    const max = this.#options.bodyMax() - 2;
    return text.length * BYTES_PER_UNIT > max && Buffer.byteLength(text) > max;
  }

  #place(name: string, item: Item): void {
    if (typeof item !== "string") this.#open(name, item, item);
    else if (this.#isLarge(item)) this.#open(name, item, this.#largeText(item));
    else {
      this.#batch.push(item);
      this.#batchUnits += item.length;
    }
    this.#flushSoon();
  }

  #open(name: string, item: Item, first: Lane["first"]): void {
    this.#laneLength += lengthOf(item);
    this.#lanes.set(name, { waiting: [], first });
  }

  #largeText(text: string): LargeText {
    this.#pieces += 1;
    const bytesPerUnit = Buffer.byteLength(text) === text.length ? 1 : BYTES_PER_UNIT;
    return { text, bytesPerUnit, piece: this.#pieces, sent: 0 };
  }

  #flushSoon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    this.#options.soon(() => {
      this.#isDue = false;
      this.flush();
    });
  }

  #flushBatch(): void {
    const { sendFrames, bodyMax } = this.#options;
    const batch = this.#batch;
    if (batch.length === 0) return;
    this.#batch = [];
    this.#batchUnits = 0;
    let [start, bytes] = [0, 2];
    for (let at = 0; at < batch.length; at++) {
      const size = 1 + sizeOf(batch[at] ?? "", bodyMax());
      if (at > start && bytes + size > bodyMax()) {
        sendFrames(`[${batch.slice(start, at).join()}]`);
        [start, bytes] = [at, 2];
      }
      bytes += size;
    }
    sendFrames(`[${(start === 0 ? batch : batch.slice(start)).join()}]`);
  }

  #sendFirst(name: string, lane: Lane): void {
    const { first } = lane;
    if ("buffer" in first) {
      this.#laneLength -= first.byteLength;
      this.#options.sendBytes(first);
      this.#close(name, lane);
    } else if (this.#sendPiece(first)) this.#close(name, lane);
  }

  /** Sends the next piece of a large frame. Returns whether it was the last. */
  #sendPiece(large: LargeText): boolean {
    const { bodyMax, sendPiece } = this.#options;
    const { text, sent, piece, bytesPerUnit } = large;
    const end = cutAt(text, sent + Math.floor(Math.min(PIECE_BYTES, bodyMax()) / bytesPerUnit));
    large.sent = end;
    this.#laneLength -= end - sent;
    const isLast = end === text.length;
    sendPiece(text.slice(sent, end), piece, isLast);
    return isLast;
  }

  /** Lets go the frames behind the large one, up to the next large one. */
  #close(name: string, lane: Lane): void {
    this.#lanes.delete(name);
    for (const [at, item] of lane.waiting.entries()) {
      this.#laneLength -= lengthOf(item);
      this.#place(name, item);
      const next = this.#lanes.get(name);
      if (!next) continue;
      next.waiting = lane.waiting.slice(at + 1);
      return;
    }
  }
}

const lengthOf = (item: Item): number => (typeof item === "string" ? item.length : item.byteLength);

/** Frames of a slot or a reader have their own order, and so have the answers to questions, which may be long. */
function laneOf(frame: NodeFrame): string {
  if ("slot" in frame) return frame.slot;
  if ("reader" in frame) return frame.reader;
  return frame.kind === "list" || frame.kind === "response_found" ? `${frame.kind} ${frame.n}` : "";
}

/** Returns the place, or the one before it if it is in the middle of a character. */
function cutAt(text: string, end: number): number {
  if (end >= text.length) return text.length;
  const isLow = (text.charCodeAt(end) & 0xfc00) === 0xdc00;
  return isLow ? end - 1 : end;
}

/** Returns the bytes of the text, or a bound of them where they are few. */
function sizeOf(text: string, max: number): number {
  const bound = text.length * BYTES_PER_UNIT;
  return bound * 64 < max ? bound : Buffer.byteLength(text);
}
