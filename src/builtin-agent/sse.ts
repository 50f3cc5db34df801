import { createParser, type EventSourceMessage } from "eventsource-parser";

/** The name of a server-sent event, if it has one, and its `data` lines, joined with LF. */
export type SseEvent = Pick<EventSourceMessage, "event" | "data">;

/**
 * Reads server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html) from chunks of
 * bytes that may end anywhere, even within a character. `id` and `retry` are ignored.
 */
export class SseReader {
  /** Whether an event was longer than allowed. No event follows it. */
  overflow = false;
  /** The parser removes the byte order mark, once. */
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  readonly #parser;
  #events: SseEvent[] = [];

  /** `lengthMax` bounds the characters of one event. */
  constructor(lengthMax: number) {
    this.#parser = createParser({
      maxBufferSize: lengthMax,
      onEvent: ({ event, data }) => {
        // The parser bounds what it buffers. An event that arrives whole is not buffered, so check it here.
        this.overflow ||= data.length > lengthMax;
        if (!this.overflow) this.#events.push({ event, data });
      },
      onError: ({ type }) => {
        this.overflow ||= type === "max-buffer-size-exceeded";
      },
    });
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
    if (!this.overflow) this.#parser.feed(text);
    return this.#events;
  }
}
