import { commonHeaders } from "./headers.ts";

/**
 * An answer as server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html), whose
 * status is decided only by the first of them: before it, the request may still fail with a real status.
 */
export interface EventStream {
  readonly isStarted: boolean;
  /** Resolves with the response when there is something to send. */
  readonly started: Promise<Response>;
  /** Sends `value` as JSON. */
  send(value: unknown): void;
  /** Sends `data` as it is, under the name of an event if there is one. */
  sendData(data: string, event?: string): void;
  end(): void;
}

export interface ServerEvent {
  /** The name; empty for an event without one. */
  event: string;
  data: string;
}

/** After so long without an event a comment keeps proxies from closing the connection. */
const QUIET_MS = 15_000;

/** What may wait for a caller that reads too slowly. Beyond it the caller is taken for gone. */
const BUFFER_LENGTH_MAX = 8 * 1024 * 1024;

const HEADERS = commonHeaders({
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-cache",
  // nginx would collect the events otherwise.
  "x-accel-buffering": "no",
});

const COMMENT = ": keep-alive\n\n";

const enders = new WeakMap<Response, (run: () => void) => void>();

/** Runs `run` right before the stream that is the answer's body ends, or when its reader is gone; false where there is none. */
export function beforeStreamEnds(response: Response, run: () => void): boolean {
  const add = enders.get(response);
  add?.(run);
  return add !== undefined;
}

/**
 * `onGone` is called when nobody reads any more, or too slowly. `quietText` is sent after a quiet spell: a comment,
 * unless the surface has an event for it.
 */
export function createEventStream(onGone: () => void, quietText = COMMENT): EventStream {
  const { promise: started, resolve } = Promise.withResolvers<Response>();
  let controller: ReadableStreamDefaultController<string> | undefined;
  let isStarted = false;
  let ended = false;
  let held = "";
  let endings: (() => void)[] = [];

  const body = new ReadableStream<string>(
    {
      start(given) {
        controller = given;
      },
      cancel() {
        stop();
        onGone();
      },
    },
    { highWaterMark: BUFFER_LENGTH_MAX, size: (chunk) => chunk?.length ?? 0 },
  );
  const quiet = createQuietWatch(() => write(quietText));
  const stop = () => {
    ended = true;
    held = "";
    quiet.stop();
    for (const run of endings) run();
    endings = [];
  };
  const start = () => {
    isStarted = true;
    const response = new Response(body, { headers: HEADERS });
    enders.set(response, (run) => {
      if (ended) run();
      else endings.push(run);
    });
    resolve(response);
    quiet.start();
  };
  const write = (text: string) => {
    if (ended || !controller) return;
    quiet.note();
    if ((controller.desiredSize ?? 0) < held.length + text.length) {
      stop();
      controller.error(new Error("read too slowly"));
      onGone();
    } else if (isStarted) {
      if (held === "") atEndOfTurn(release);
      held += text;
    } else {
      start();
      controller.enqueue(text);
    }
  };
  const release = () => {
    if (held !== "") controller?.enqueue(held);
    held = "";
  };
  return {
    started,
    get isStarted() {
      return isStarted;
    },
    send: (value) => write(`data: ${JSON.stringify(value)}\n\n`),
    sendData: (data, event) => write(`${event ? `event: ${event}\n` : ""}${dataLines(data)}\n\n`),
    end() {
      if (ended) return;
      release();
      stop();
      controller?.close();
    },
  };
}

/** One timer for all quiet spells: it looks how long the present one is, and sleeps on for the rest. */
function createQuietWatch(onQuiet: () => void) {
  let timer: Timer | undefined;
  let heardAt = 0;
  const sleep = (delayMs: number) => {
    timer = setTimeout(() => {
      const leftMs = heardAt + QUIET_MS - performance.now();
      sleep(leftMs < 1 ? QUIET_MS : leftMs);
      if (leftMs < 1) onQuiet();
    }, delayMs);
  };
  return {
    start: () => sleep(QUIET_MS),
    note() {
      heardAt = performance.now();
    },
    stop: () => clearTimeout(timer),
  };
}

let releases: (() => void)[] = [];

/**
 * Under load an agent's socket has many events to read at once, of many streams: what each stream gets of them goes
 * out as one piece.
 */
function atEndOfTurn(release: () => void): void {
  if (releases.length === 0) setImmediate(releaseAll);
  releases.push(release);
}

function releaseAll(): void {
  const due = releases;
  releases = [];
  for (const release of due) release();
}

/** Data with line breaks takes a line for each; the reader joins them again. */
function dataLines(data: string): string {
  return data.includes("\n") || data.includes("\r")
    ? data
        .split(/\r\n|\r|\n/)
        .map((line) => `data: ${line}`)
        .join("\n")
    : `data: ${data}`;
}
