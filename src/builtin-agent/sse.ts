import { createParser, type EventSourceMessage } from "eventsource-parser";

/** One server-sent event. */
export interface SseEvent {
  /** The event's name, if it has one. */
  event?: string;
  /** The event's `data` lines, joined with LF. */
  data: string;
}

/**
 * Reads server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html) from bytes that
 * may be cut anywhere, also within a character. `id` and `retry` are ignored.
 */
export class SseReader {
  readonly #lengthMax: number;
  /** The parser removes the byte order mark, once. */
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  readonly #parser;
  #events: SseEvent[] = [];
  #overflow = false;

  /** `lengthMax` bounds the characters of one event. */
  constructor(lengthMax: number) {
    this.#lengthMax = lengthMax;
    this.#parser = createParser({
      maxBufferSize: lengthMax,
      onEvent: (event) => this.#take(event),
      onError: ({ type }) => {
        this.#overflow ||= type === "max-buffer-size-exceeded";
      },
    });
  }

  /** Whether an event was longer than allowed. No event follows it. */
  get overflow(): boolean {
    return this.#overflow;
  }

  /** Returns the events that are now complete, in order. Check `overflow` after each call. */
  push(bytes: Uint8Array): SseEvent[] {
    return this.#feed(this.#decoder.decode(bytes, { stream: true }));
  }

  /** Ends the stream. Returns the last event if only the blank line after it is missing. */
  end(): SseEvent | undefined {
    return this.#feed(`${this.#decoder.decode()}\n\n`)[0];
  }

  #feed(text: string): SseEvent[] {
    this.#events = [];
    if (!this.#overflow) this.#parser.feed(text);
    return this.#events;
  }

  /**
   * The parser bounds what it buffers. An event that arrives whole is not buffered, so it is checked here.
   */
  #take({ event, data }: EventSourceMessage): void {
    this.#overflow ||= data.length > this.#lengthMax;
    if (!this.#overflow) this.#events.push(event === undefined ? { data } : { event, data });
  }
}
