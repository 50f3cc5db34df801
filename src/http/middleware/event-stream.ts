import type { Cancel, Clock } from "../../clock.ts";
import { commonHeaders } from "./headers.ts";
import { type ResponseStream, StreamedResponse } from "./streamed-response.ts";
import { noteUnread } from "./unread.ts";

export interface ServerEvent {
  /** The name; empty for an event without one. */
  event: string;
  data: string;
}

/**
 * After this long without an event, a comment or event keeps proxies and clients from closing the connection.
 * It is the interval that the standard recommends.
 */
const QUIET_MS = 15_000;

/**
 * A caller counts as gone if more comes after this much text has waited for them during this time. An image is
 * larger, so a caller who reads may need some seconds. All streams together have a limit too. Text that was not handed
 * over yet does not count: it came at once, and the caller could not have read it.
 */
const SLOW_LENGTH = 8 * 1024 * 1024;
const SLOW_MS = 5_000;

/** A caller for whom more text waits counts as gone at once. */
const BUFFER_LENGTH_MAX = 48 * 1024 * 1024;

const headersFor = (type: string) =>
  commonHeaders({
    "content-type": type,
    "cache-control": "no-cache",
    // nginx would collect the events otherwise.
    "x-accel-buffering": "no",
  });

/**
 * How the events of a stream are written: as server-sent events, or as lines of JSON, which have neither names nor
 * comments, and so no keep-alives.
 */
export type Framing = "events" | "lines";

const HEADERS: Readonly<Record<Framing, ReturnType<typeof headersFor>>> = {
  events: headersFor("text/event-stream; charset=utf-8"),
  lines: headersFor("application/x-ndjson"),
};

/** The usual keep-alive. */
export const COMMENT = ": keep-alive\n\n";

interface EventStreamOptions {
  clock: Clock;
  /** Called when the reader has left, or reads too slowly. */
  onGone: () => void;
  /** Returns the text that a quiet stream sends now and then: a comment, unless the API has an event for it. */
  keepAlive?: (() => string) | undefined;
  /** Default: `events`. */
  framing?: Framing | undefined;
}

/**
 * A stream of server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html), or of lines. Its
 * response exists from the first event or keep-alive on: until then, the request may still fail with a status
 * of its own. Written by hand, as Hono's `streamSSE` decides the status first, and costs twice as much per
 * event.
 */
export class EventStream implements ResponseStream {
  readonly #start = Promise.withResolvers<EventStreamResponse>();
  readonly #end = Promise.withResolvers<void>();
  /** Resolves when the body was ended, or the reader has left. */
  readonly #sent = Promise.withResolvers<void>();
  /** Resolves with the response when there is something to send. */
  readonly started = this.#start.promise;
  /** Resolves when `end` was called, which may be long after the reader has left. */
  readonly finished = this.#end.promise;
  readonly #clock: Clock;
  readonly #onGone: () => void;
  readonly #keepAlive: () => string;
  readonly #isLines: boolean;
  readonly #body: ReadableStream<string>;
  /** Undefined until the runtime has the response, and asks for its body. */
  #controller: ReadableStreamDirectController | undefined;
  /** Whether there is a response. */
  isStarted = false;
  #isClosed = false;
  #isGone = false;
  /** Not yet handed to the runtime: sent in this turn of the event loop, or before the body was asked for. */
  #held = "";
  /** How much the runtime keeps, as the caller's connection takes no more. */
  #unsentLength = 0;
  /** The time since which that has been much. */
  #slowSince: number | undefined;
  #beforeClose: (() => void)[] = [];
  #stopTimer: Cancel = () => {};
  #sentAt: number;

  constructor({ clock, onGone, keepAlive = () => COMMENT, framing = "events" }: EventStreamOptions) {
    this.#clock = clock;
    this.#onGone = onGone;
    this.#keepAlive = keepAlive;
    this.#isLines = framing === "lines";
    // The runtime sends what a direct stream writes at once in one piece with the head of the response.
    this.#body = new ReadableStream<string>({
      type: "direct",
      pull: (controller) => {
        this.#controller = controller;
        this.release();
        if (this.#isClosed) this.#endBody();
        return this.#sent.promise;
      },
      cancel: () => this.#leave(),
    });
    this.#sentAt = clock.now();
    if (!this.#isLines) this.#sleep(QUIET_MS);
  }

  send(data: string, event = ""): void {
    if (this.#isLines) {
      this.#write(`${oneLine(data)}\n`);
      return;
    }
    this.#write(`${event === "" ? "" : `event: ${event}\n`}${dataLines(data)}\n\n`);
  }

  sendAll(events: readonly ServerEvent[]): void {
    for (const { data, event } of events) this.send(data, event);
  }

  /** Sends a comment, which clients ignore. `text` has no line break. */
  comment(text: string): void {
    if (!this.#isLines) this.#write(`: ${text}\n\n`);
  }

  /** Sends what is held, and closes the stream. A stream without any event still becomes a response. */
  end(): void {
    this.#end.resolve();
    if (this.#isClosed) return;
    if (!this.isStarted) this.#begin();
    this.release();
    this.#close();
    this.#endBody();
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

  /** Hands over what is held. */
  release(): void {
    const text = this.#held;
    if (text === "" || !this.#controller) return;
    this.#held = "";
    const written = this.#controller.write(text);
    this.#controller.flush();
    if (typeof written === "number") return;
    this.#keep(text.length);
    const onSent = () => this.#keep(-text.length);
    written.then(onSent, onSent);
  }

  /** The caller reads too slowly. */
  cutOff(): void {
    this.#leave();
    this.#controller?.close(new Error("read too slowly"));
  }

  /** Notes that the runtime keeps more or less. */
  #keep(length: number): void {
    this.#unsentLength += length;
    if (this.#isGone) return;
    if (this.#unsentLength <= SLOW_LENGTH) this.#slowSince = undefined;
    else this.#slowSince ??= this.#clock.now();
    noteUnread(this, this.#unsentLength);
    if (this.#isClosed) this.#endBody();
  }

  /** Ends the body as soon as nothing is kept: until then, the caller can be cut off. */
  #endBody(): void {
    if (this.#unsentLength > 0 || !this.#controller) return;
    this.#controller.end();
    this.#sent.resolve();
  }

  #write(text: string): void {
    if (this.#isClosed) return;
    const now = this.#clock.now();
    this.#sentAt = now;
    if (this.#unsentLength > BUFFER_LENGTH_MAX || now - (this.#slowSince ?? now) >= SLOW_MS) {
      this.cutOff();
      return;
    }
    if (this.#held === "" && this.#controller) releaseAtEndOfTurn(this);
    this.#held += text;
    if (!this.isStarted) this.#begin();
  }

  /** The reader has left, or must. */
  #leave(): void {
    const wasOpen = !this.#isClosed;
    this.#held = "";
    this.#isGone = true;
    this.#sent.resolve();
    noteUnread(this, 0);
    this.#close();
    if (wasOpen) this.#onGone();
  }

  #begin(): void {
    this.isStarted = true;
    const headers = HEADERS[this.#isLines ? "lines" : "events"];
    this.#start.resolve(new EventStreamResponse(this, this.#body, headers));
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
    this.#isClosed = true;
    this.#stopTimer();
    for (const run of this.#beforeClose) run();
    this.#beforeClose = [];
  }
}

export class EventStreamResponse extends StreamedResponse {
  constructor(
    readonly stream: EventStream,
    body: ReadableStream<string>,
    headers: ReturnType<typeof headersFor>,
  ) {
    super(body, { headers });
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

const BREAKS = /[\r\n\u0085\u2028\u2029]/;

/**
 * Returns JSON on one line. `\r` and `\n` are white space in JSON. The other breaks can only be in its texts, where they are
 * escaped: readers that split like Python's `splitlines`, among them Ollama's own package, would cut the line there.
 */
function oneLine(json: string): string {
  if (!BREAKS.test(json)) return json;
  return json
    .replace(/[\r\n]+/g, " ")
    .replace(/[\u0085\u2028\u2029]/g, (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
