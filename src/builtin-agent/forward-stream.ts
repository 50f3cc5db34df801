import type { Cancel, Clock } from "../clock.ts";
import { isEndMark } from "../protocol/stream-end.ts";
import { ANSWER_TOO_LARGE, ENDED_EARLY, type EndFrame, failFrame } from "./end-frame.ts";
import { LineReader } from "./lines.ts";
import { ResponseBody } from "./response-body.ts";
import type { FrameSender } from "./server/connection.ts";
import { type SseEvent, SseReader } from "./sse.ts";
import { StreamProgress } from "./stream-progress.ts";

export interface ForwardStreamOptions {
  /** The ask's id. */
  ask: string;
  server: FrameSender;
  clock: Clock;
  /** Nothing is sent after it is aborted. */
  signal: AbortSignal;
  /** Called before each event is sent. */
  begin: () => void;
  /** Whether the answer is lines of JSON, each of which is an event, and not server-sent events. Default: false. */
  isLines?: boolean;
}

/**
 * How long a complete answer may be silent: some upstreams send a finish reason, and then neither usage nor
 * `[DONE]`, and do not close the connection.
 */
const GRACE_MS = 10_000;
const EVENT_NAME_LENGTH_MAX = 256;

/**
 * Sends each event as it comes, no faster than the server reads, up to the one after which nothing of interest can
 * follow. A stream that ends without an end mark is a failure: otherwise a torn answer would look like a complete
 * one. Rejects if the stream breaks before the first event.
 */
export function forwardStream(
  response: Response,
  options: ForwardStreamOptions,
  body: ResponseBody = new ResponseBody(response),
): Promise<EndFrame> {
  return new StreamForwarder(response, options, body).run();
}

class StreamForwarder {
  readonly #events: Pick<SseReader, "push" | "end" | "overflow">;
  readonly #progress = new StreamProgress();
  #sent = 0;
  #stopClosing: Cancel | undefined;

  constructor(
    private readonly response: Response,
    private readonly options: ForwardStreamOptions,
    private readonly body: ResponseBody,
  ) {
    const { isLines = false, server } = options;
    this.#events = new (isLines ? LineReader : SseReader)(server.frameBytesMax);
  }

  async run(): Promise<EndFrame> {
    try {
      if (!(await this.#forwardAll())) return ANSWER_TOO_LARGE;
    } catch (error) {
      if (this.#sent === 0) throw error;
    } finally {
      this.#stopClosing?.();
    }
    const { complete, usage } = this.#progress;
    if (!complete) return failFrame(ENDED_EARLY, this.#sent === 0);
    return { type: "done", status: this.response.status, usage };
  }

  /** Returns false if something was too large to be sent. */
  async #forwardAll(): Promise<boolean> {
    const { server, signal } = this.options;
    for (let part = await this.body.read(); !part.done; part = await this.body.read()) {
      signal.throwIfAborted();
      if (!this.#forwardPart(part.value)) return false;
      if (this.#progress.final) return true;
      await server.room();
    }
    const last = this.#events.end();
    // An event without its blank line may be torn. An end mark that can be read is not.
    return !last || !isEndMark(last.data) || this.#forward(last);
  }

  #forwardPart(bytes: Uint8Array): boolean {
    const events = this.#events.push(bytes);
    for (const event of events) {
      if (!this.#forward(event)) return false;
      if (this.#progress.final) return true;
    }
    if (this.#events.overflow) return false;
    if (events.length > 0) this.#limitEnd();
    return true;
  }

  /** Ends the body some time after what may have been its last event. */
  #limitEnd(): void {
    this.#stopClosing?.();
    this.#stopClosing = this.#progress.complete
      ? this.options.clock.after(GRACE_MS, () => void this.body.cancel())
      : undefined;
  }

  #forward(event: SseEvent): boolean {
    const { ask, server, begin } = this.options;
    if ((event.event?.length ?? 0) > EVENT_NAME_LENGTH_MAX) return false;
    this.#progress.note(event.data);
    begin();
    this.#sent++;
    return server.send({ type: "delta", ask, ...event });
  }
}
