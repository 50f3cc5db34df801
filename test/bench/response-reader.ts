interface ReaderEvents {
  /** Called with a part of a body: `bytes` from `from` up to `to`, which are valid only during the call. */
  body(bytes: Buffer, from: number, to: number): void;
  end(status: number): void;
}

type State = "head" | "length" | "size" | "chunk" | "break" | "trailer";

const STEPS_PENDING = -1;

/**
 * Reads the HTTP/1.1 responses of one connection, with a length or in chunks, wherever the bytes are split.
 * Knows only the parts of RFC 9112 that the servers under test use.
 */
export class ResponseReader {
  readonly #events: ReaderEvents;
  #state: State = "head";
  #rest: Buffer | undefined;
  #left = 0;
  #status = 0;

  constructor(events: ReaderEvents) {
    this.#events = events;
  }

  push(bytes: Buffer): void {
    const data = this.#rest ? Buffer.concat([this.#rest, bytes]) : bytes;
    this.#rest = undefined;
    let at = 0;
    while (at < data.length) {
      const next = this.#step(data, at);
      if (next === STEPS_PENDING) {
        // The socket reuses its bytes, so they are copied.
        this.#rest = Buffer.from(data.subarray(at));
        return;
      }
      at = next;
    }
  }

  #step(data: Buffer, at: number): number {
    if (this.#state === "head") return this.#head(data, at);
    if (this.#state === "length" || this.#state === "chunk") return this.#body(data, at);
    const end = data.indexOf("\r\n", at);
    if (end < 0) return STEPS_PENDING;
    if (this.#state === "size") {
      this.#left = Number.parseInt(data.toString("latin1", at, end), 16);
      if (Number.isNaN(this.#left)) throw new Error("A chunk has no size.");
      this.#state = this.#left > 0 ? "chunk" : "trailer";
    } else if (this.#state === "break") {
      this.#state = "size";
    } else {
      this.#end();
    }
    return end + 2;
  }

  #head(data: Buffer, at: number): number {
    const end = data.indexOf("\r\n\r\n", at);
    if (end < 0) return STEPS_PENDING;
    const head = data.toString("latin1", at, end);
    this.#status = Number(head.slice(9, 12));
    const length = head.match(/\r\ncontent-length: *(\d+)/i)?.[1];
    if (length !== undefined) {
      this.#left = Number(length);
      this.#state = "length";
      if (this.#left === 0) this.#end();
    } else if (/\r\ntransfer-encoding: *chunked/i.test(head)) {
      this.#state = "size";
    } else {
      throw new Error(`There is a response without a length: ${head}`);
    }
    return end + 4;
  }

  #body(data: Buffer, at: number): number {
    const to = Math.min(at + this.#left, data.length);
    this.#left -= to - at;
    this.#events.body(data, at, to);
    if (this.#left === 0 && this.#state === "chunk") this.#state = "break";
    else if (this.#left === 0) this.#end();
    return to;
  }

  #end(): void {
    this.#state = "head";
    this.#events.end(this.#status);
  }
}
