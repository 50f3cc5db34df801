import type { Cancel, Clock } from "./clock.ts";
import { ENDED_EARLY, failure, type Outcome, TOO_LARGE } from "./outcome.ts";
import { createProgress } from "./progress.ts";
import type { Replies } from "./replies.ts";
import { type SseEvent, SseReader } from "./sse.ts";

export interface StreamOptions {
  /** The ask's id. */
  ask: string;
  replies: Replies;
  clock: Clock;
  /** Nothing is sent once it is aborted. */
  signal: AbortSignal;
  /** Called before each event is sent. */
  begin: () => void;
}

type Reader = Pick<ReadableStreamDefaultReader<Uint8Array>, "read" | "cancel">;

/** What may follow a last event: blank lines, and the end of the body. */
const CLOSING_MS = 1000;
const EVENT_NAME_LENGTH_MAX = 256;

/**
 * Sends each event on as it comes, no faster than the server takes them. A stream that ends, in whatever way,
 * before it said that it was whole is a failure, as a torn answer looks like a finished one otherwise. Rejects
 * when it breaks before the first event.
 */
export async function passStream({ status, body }: Response, options: StreamOptions): Promise<Outcome> {
  const outcome = await new Passage((body ?? new Blob().stream()).getReader(), options).run();
  return outcome.type === "done" ? { ...outcome, status } : outcome;
}

class Passage {
  readonly #reader: Reader;
  readonly #options: StreamOptions;
  readonly #events: SseReader;
  readonly #progress = createProgress();
  #passed = 0;
  #stopClosing: Cancel | undefined;

  constructor(reader: Reader, options: StreamOptions) {
    this.#reader = reader;
    this.#options = options;
    this.#events = new SseReader(options.replies.frameBytesMax);
  }

  async run(): Promise<Outcome> {
    try {
      if (!(await this.#passAll())) return TOO_LARGE;
    } catch (error) {
      if (this.#passed === 0) throw error;
    } finally {
      this.#stopClosing?.();
    }
    return this.#outcome();
  }

  #outcome(): Outcome {
    const { complete, usage } = this.#progress;
    if (!complete) return failure(ENDED_EARLY, this.#passed === 0);
    return { type: "done", status: 200, ...(usage && { usage }) };
  }

  /** False when something was too large to be passed on. */
  async #passAll(): Promise<boolean> {
    const reader = this.#reader;
    const { replies, signal } = this.#options;
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      signal.throwIfAborted();
      if (!this.#passPart(part.value)) return false;
      await replies.room();
    }
    const last = this.#events.end();
    // Without its blank line an event may be torn; an end mark that can be read is not.
    return !last || !isEndMark(last) || this.#pass(last);
  }

  #passPart(bytes: Uint8Array): boolean {
    const events = this.#events.push(bytes);
    if (!events.every((event) => this.#pass(event)) || this.#events.overflow) return false;
    if (this.#progress.final)
      this.#stopClosing ??= this.#options.clock.after(CLOSING_MS, () => void this.#reader.cancel());
    return true;
  }

  #pass(event: SseEvent): boolean {
    const { ask, replies, begin } = this.#options;
    if ((event.event?.length ?? 0) > EVENT_NAME_LENGTH_MAX) return false;
    this.#progress.note(event.data);
    begin();
    this.#passed++;
    return replies.send({ type: "delta", ask, ...event });
  }
}

function isEndMark({ data }: SseEvent): boolean {
  const progress = createProgress();
  progress.note(data);
  return progress.complete;
}
