import { commonHeaders } from "./common-headers.ts";

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
  let quiet: Timer | undefined;

  let endings: (() => void)[] = [];

  const stop = () => {
    ended = true;
    clearTimeout(quiet);
    for (const run of endings) run();
    endings = [];
  };
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
  const write = (text: string) => {
    if (ended || !controller) return;
    if (!isStarted) {
      isStarted = true;
      const response = new Response(body, { headers: HEADERS });
      enders.set(response, (run) => {
        if (ended) run();
        else endings.push(run);
      });
      resolve(response);
    }
    if ((controller.desiredSize ?? 0) < text.length) {
      stop();
      controller.error(new Error("read too slowly"));
      onGone();
      return;
    }
    controller.enqueue(text);
    clearTimeout(quiet);
    quiet = setTimeout(() => write(quietText), QUIET_MS);
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
      stop();
      controller?.close();
    },
  };
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
