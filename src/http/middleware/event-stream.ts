import type { Cancel, Clock } from "../../clock.ts";
import { commonHeaders } from "./headers.ts";

export interface ServerEvent {
  /** The name; empty for an event without one. */
  event: string;
  data: string;
}

/**
 * After this long without an event, a comment or event keeps proxies and clients from closing the connection.
 * It is the interval that the standard recommends.
 */
export const QUIET_MS = 15_000;

/** The most text that may wait for a slow caller. A caller who needs more counts as gone. */
const BUFFER_LENGTH_MAX = 8 * 1024 * 1024;

/** If there are many streams, each may have less, so that all together have at most this much. */
const ALL_LENGTH_MAX = 256 * 1024 * 1024;

/** The streams that are open. */
let openCount = 0;

const HEADERS = commonHeaders({
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-cache",
  // nginx would collect the events otherwise.
  "x-accel-buffering": "no",
});

/** The usual keep-alive. */
export const COMMENT = ": keep-alive\n\n";

interface EventStreamOptions {
  clock: Clock;
  /** Called when the reader has left, or reads too slowly. */
  onGone: () => void;
  /** Returns the text that a quiet stream sends now and then: a comment, unless the API has an event for it. */
  keepAlive?: (() => string) | undefined;
}

/**
 * A stream of server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html). Its
 * response exists from the first event or keep-alive on: until then, the request may still fail with a status
 * of its own. Written by hand, as Hono's `streamSSE` decides the status first, and costs twice as much per
 * event.
 */
export class EventStream {
  readonly #start = Promise.withResolvers<EventStreamResponse>();
  readonly #end = Promise.withResolvers<void>();
  /** Resolves with the response when there is something to send. */
  readonly started = this.#start.promise;
  /** Resolves when `end` was called, which may be long after the reader has left. */
  readonly finished = this.#end.promise;
  readonly #clock: Clock;
  readonly #onGone: () => void;
  readonly #keepAlive: () => string;
  readonly #body: ReadableStream<string>;
  #controller: ReadableStreamDefaultController<string> | undefined;
  /** Whether there is a response. */
  isStarted = false;
  #isClosed = false;
  /** Sent in this turn of the event loop, and not yet handed to the body. */
  #held = "";
  #beforeClose: (() => void)[] = [];
  #stopTimer: Cancel = () => {};
  #sentAt: number;

  constructor({ clock, onGone, keepAlive = () => COMMENT }: EventStreamOptions) {
    this.#clock = clock;
    this.#onGone = onGone;
    this.#keepAlive = keepAlive;
    this.#body = new ReadableStream<string>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        cancel: () => {
          this.#close();
          onGone();
        },
      },
      { highWaterMark: BUFFER_LENGTH_MAX, size: (chunk) => chunk?.length ?? 0 },
    );
    this.#sentAt = clock.now();
    openCount++;
    this.#sleep(QUIET_MS);
  }

  send(data: string, event = ""): void {
    this.#write(`${event === "" ? "" : `event: ${event}\n`}${dataLines(data)}\n\n`);
  }

  sendAll(events: readonly ServerEvent[]): void {
    for (const { data, event } of events) this.send(data, event);
  }

  /** Sends a comment, which clients ignore. `text` has no line break. */
  comment(text: string): void {
    this.#write(`: ${text}\n\n`);
  }

  /** Sends what is held, and closes the stream. A stream without any event still becomes a response. */
  end(): void {
    this.#end.resolve();
    if (this.#isClosed) return;
    if (!this.isStarted) this.#begin();
    this.release();
    this.#close();
    this.#controller?.close();
  }

  /** Closes a stream that has no response and needs none, as the request is answered in another way. */
  discard(): void {
    this.#end.resolve();
    this.#close();
  }

  /** Calls `run` right before the stream closes, or when its reader has left. */
  beforeClose(run: () => void): void {
    if (this.#isClosed) run();
    else this.#beforeClose.push(run);
  }

  /** Hands over what was sent in this turn of the event loop. */
  release(): void {
    if (this.#held !== "") this.#controller?.enqueue(this.#held);
    this.#held = "";
  }

  #write(text: string): void {
    if (this.#isClosed || !this.#controller) return;
    this.#sentAt = this.#clock.now();
    if (this.#room() < this.#held.length + text.length) {
      this.#close();
      this.#controller.error(new Error("read too slowly"));
      this.#onGone();
    } else if (this.isStarted) {
      if (this.#held === "") releaseAtEndOfTurn(this);
      this.#held += text;
    } else {
      this.#begin();
      this.#controller.enqueue(text);
    }
  }

  /** Returns how much text may be added to what waits for the caller. */
  #room(): number {
    const left = this.#controller?.desiredSize ?? 0;
    return left - BUFFER_LENGTH_MAX + Math.min(BUFFER_LENGTH_MAX, ALL_LENGTH_MAX / openCount);
  }

  #begin(): void {
    this.isStarted = true;
    this.#start.resolve(new EventStreamResponse(this, this.#body));
  }

  /** One timer serves all quiet spells: it looks how long the present one is, and sleeps for the rest. */
  #sleep(delayMs: number): void {
    this.#stopTimer = this.#clock.after(delayMs, () => {
      const leftMs = this.#sentAt + QUIET_MS - this.#clock.now();
      // The system's clock may have been set back.
      this.#sleep(leftMs < 1 ? QUIET_MS : Math.min(leftMs, QUIET_MS));
      if (leftMs < 1) this.#write(this.#keepAlive());
    });
  }

  #close(): void {
    if (!this.#isClosed) openCount--;
    this.#isClosed = true;
    this.#held = "";
    this.#stopTimer();
    for (const run of this.#beforeClose) run();
    this.#beforeClose = [];
  }
}

export class EventStreamResponse extends Response {
  constructor(
    readonly stream: EventStream,
    body: ReadableStream<string>,
  ) {
    super(body, { headers: HEADERS });
  }
}

let waiting: EventStream[] = [];

/** Under load, one turn reads many events of many streams from an agent's socket. Each stream sends one chunk. */
function releaseAtEndOfTurn(stream: EventStream): void {
  if (waiting.length === 0) setImmediate(releaseAll);
  waiting.push(stream);
}

function releaseAll(): void {
  const streams = waiting;
  waiting = [];
  for (const stream of streams) stream.release();
}

/** Returns the field `data`, one line for each line of the data; the reader joins them again. */
function dataLines(data: string): string {
  const isOneLine = !data.includes("\n") && !data.includes("\r");
  return `data: ${isOneLine ? data : data.split(/\r\n|\r|\n/).join("\ndata: ")}`;
}
