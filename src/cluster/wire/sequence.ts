import { freeBytes } from "../../protocol/bytes/free-bytes.ts";

/** A message that the other node has not acknowledged yet. */
interface Kept {
  bytes: Uint8Array;
  /** When it was sent: milliseconds since 1970. */
  at: number;
  /** It carries bytes, or a piece of a large frame. */
  isPiece: boolean;
  /** How often it was passed on. */
  passes: number;
}

/**
 * The messages that were sent to a node, numbered from 1, until the node has acknowledged them, so that lost ones can
 * be sent again. They are passed on in order, when there is room on the way.
 */
export class Sent {
  #kept = new Map<number, Kept>();
  #bytes = 0;
  #pieceBytes = 0;
  #last = 0;
  #passed = 0;
  #onTheWay = 0;

  /** The number of the newest message; 0 if there is none. */
  get last(): number {
    return this.#last;
  }

  /** The number of the newest message that was passed on. */
  get passed(): number {
    return this.#passed;
  }

  /** The bytes of those that were passed on and are not acknowledged. */
  get onTheWay(): number {
    return this.#onTheWay;
  }

  /** The bytes of all that are not acknowledged. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The bytes among them of those that carry bytes or pieces of large frames. */
  get pieceBytes(): number {
    return this.#pieceBytes;
  }

  /** When the oldest of them was sent; undefined if all are acknowledged. */
  get oldestAt(): number | undefined {
    for (const { at } of this.#kept.values()) return at;
    return undefined;
  }

  /** Keeps the message that has the number after `last`. */
  add(bytes: Uint8Array, at: number, isPiece = false): void {
    this.#last += 1;
    this.#kept.set(this.#last, { bytes, at, isPiece, passes: 0 });
    this.#count(bytes.byteLength, isPiece);
  }

  /** Forgets what has arrived: all messages up to this number. */
  acknowledge(upTo: number): void {
    for (const [number, { bytes, isPiece, passes }] of this.#kept) {
      if (number > upTo) return;
      if (number <= this.#passed) this.#onTheWay -= bytes.byteLength;
      // It had arrived when it was asked for.
      else this.#passed = number;
      this.#kept.delete(number);
      this.#count(-bytes.byteLength, isPiece);
      // One that was passed on again may still be on its way.
      if (isPiece && passes === 1) freeBytes(bytes);
    }
  }

  /** The oldest message that was not passed on, or is to be passed on again; undefined if there is none. */
  get next(): Uint8Array | undefined {
    return this.#kept.get(this.#passed + 1)?.bytes;
  }

  /** The next message has been passed on. */
  passNext(): void {
    this.#passed += 1;
    const message = this.#kept.get(this.#passed);
    if (!message) return;
    message.passes += 1;
    this.#onTheWay += message.bytes.byteLength;
  }

  /** Goes back, so that the messages from this number on are the next again. Returns false if they are gone. */
  goBack(number: number): boolean {
    if (number > this.#passed) return true;
    if (!this.#kept.has(number)) return false;
    for (; this.#passed >= number; this.#passed--) this.#onTheWay -= this.#sizeOf(this.#passed);
    return true;
  }

  #sizeOf(number: number): number {
    return this.#kept.get(number)?.bytes.byteLength ?? 0;
  }

  #count(bytes: number, isPiece: boolean): void {
    this.#bytes += bytes;
    if (isPiece) this.#pieceBytes += bytes;
  }
}

/** How long a request for lost messages may go without any progress before it is repeated. */
const ASK_AGAIN_MS = 300;

/** Tells which messages of a node are next, and which are missing. */
export class Received {
  #last = 0;
  #highest = 0;
  /** When the last request for missing ones was made, or the last of them arrived. */
  #movedAt = Number.NEGATIVE_INFINITY;

  /** The number up to which all have arrived. */
  get last(): number {
    return this.#last;
  }

  /** Whether messages that were sent are missing. */
  get isMissing(): boolean {
    return this.#highest > this.#last;
  }

  /** Whether the message is the next one. Others must be dropped: they were here before, or will be sent again. */
  take(number: number, now: number): boolean {
    const isNext = number === this.#last + 1;
    if (isNext) {
      if (this.isMissing) this.#movedAt = now;
      this.#last = number;
    }
    this.know(number);
    return isNext;
  }

  /** Learns that the node has sent all messages up to this number. */
  know(sent: number): void {
    this.#highest = Math.max(this.#highest, sent);
  }

  /** Returns the number from which to ask for missing messages; undefined if nothing is to be asked at this time. */
  ask(now: number): number | undefined {
    if (!this.isMissing || now - this.#movedAt < ASK_AGAIN_MS) return undefined;
    this.#movedAt = now;
    return this.#last + 1;
  }
}
