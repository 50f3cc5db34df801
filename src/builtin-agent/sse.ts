/** One server-sent event. */
export interface SseEvent {
  /** Its name, where it has one. */
  event?: string;
  /** Its `data` lines, joined with LF. */
  data: string;
}

/**
 * Reads a stream of server-sent events, as the WHATWG HTML standard has it ("Parsing an event stream"): lines
 * end in CR, LF or CRLF, comments and unknown fields are skipped, a byte order mark at the start too. Bytes may
 * be cut anywhere. `id` and `retry` are of no use to anyone here.
 */
export class SseParser {
  readonly #lengthMax: number;
  readonly #decoder = new TextDecoder();
  /** Of the line under way. */
  #pieces: string[] = [];
  #data: string[] = [];
  #name = "";
  /** Characters of the event under way. */
  #length = 0;
  #afterCr = false;
  #overflow = false;

  /** `lengthMax` bounds the characters of one event. */
  constructor(lengthMax: number) {
    this.#lengthMax = lengthMax;
  }

  /** An event was longer than allowed. Nothing comes out from then on. */
  get overflow(): boolean {
    return this.#overflow;
  }

  /** Gives the events that are complete now, in order. `overflow` must be looked at after each call. */
  push(bytes: Uint8Array): SseEvent[] {
    const text = this.#decoder.decode(bytes, { stream: true });
    if (text === "" || this.#overflow) return [];
    const events: SseEvent[] = [];
    let start = this.#afterCr && text[0] === "\n" ? 1 : 0;
    const ends = /\r\n|\n|\r/g;
    ends.lastIndex = start;
    for (let match = ends.exec(text); match; match = ends.exec(text)) {
      if (!this.#grow(match.index - start)) return events;
      const event = this.#endLine(text.slice(start, match.index));
      if (event) events.push(event);
      start = ends.lastIndex;
    }
    this.#afterCr = text.endsWith("\r");
    if (start < text.length && this.#grow(text.length - start)) this.#pieces.push(text.slice(start));
    return events;
  }

  /** To be called when the stream is over: the event that only lacks the blank line after it, if there is one. */
  end(): SseEvent | undefined {
    if (this.#overflow) return undefined;
    const rest = this.#decoder.decode();
    if (rest !== "" || this.#pieces.length > 0) this.#endLine(rest);
    return this.#takeEvent();
  }

  #grow(by: number): boolean {
    this.#length += by;
    this.#overflow ||= this.#length > this.#lengthMax;
    return !this.#overflow;
  }

  #endLine(tail: string): SseEvent | undefined {
    const line = this.#pieces.length > 0 ? this.#pieces.join("") + tail : tail;
    this.#pieces = [];
    if (line === "") return this.#takeEvent();
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1);
    if (field === "data") this.#data.push(value);
    else if (field === "event") this.#name = value;
    else this.#length -= line.length;
    return undefined;
  }

  #takeEvent(): SseEvent | undefined {
    const name = this.#name;
    const event = { ...(name === "" ? {} : { event: name }), data: this.#data.join("\n") };
    const isEvent = this.#data.length > 0;
    this.#data = [];
    this.#name = "";
    this.#length = 0;
    return isEvent ? event : undefined;
  }
}
