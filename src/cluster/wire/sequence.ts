/** A message that the other node has not acknowledged yet. */
interface Kept {
  bytes: Uint8Array;
  /** When it was sent: milliseconds since 1970. */
  at: number;
  /** It carries a piece of a large frame. */
  isPiece: boolean;
}

/**
 * The messages that were sent to a node, numbered from 1, until the node has acknowledged them, so that lost ones can
 * be sent again.
 */
export class Sent {
  #kept = new Map<number, Kept>();
  #bytes = 0;
  #pieceBytes = 0;
  #last = 0;

  /** The number of the newest message; 0 if there is none. */
  get last(): number {
    return this.#last;
  }

  /** The bytes of all that are not acknowledged. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The bytes among them of pieces of large frames. */
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
    this.#kept.set(this.#last, { bytes, at, isPiece });
    this.#count(bytes.byteLength, isPiece);
  }

  /** Forgets what has arrived: all messages up to this number. */
  acknowledge(upTo: number): void {
    for (const [number, { bytes, isPiece }] of this.#kept) {
      if (number > upTo) return;
      this.#kept.delete(number);
      this.#count(-bytes.byteLength, isPiece);
    }
  }

  /**
   * Returns the messages from this number on, oldest first, up to so many bytes but at least one; undefined if they
   * are no longer kept.
   */
  from(number: number, bytesMax: number): Uint8Array[] | undefined {
    if (number > this.#last) return [];
    if (!this.#kept.has(number)) return undefined;
    const messages: Uint8Array[] = [];
    let total = 0;
    for (let next = number; next <= this.#last && (messages.length === 0 || total < bytesMax); next++) {
      const bytes = this.#kept.get(next)?.bytes;
      if (!bytes) break;
      messages.push(bytes);
      total += bytes.byteLength;
    }
    return messages;
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
