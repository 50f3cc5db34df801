import type { Clock } from "../../clock.ts";
import { type AppError, asAppError } from "../../errors.ts";
import type { Log } from "../../log/log.ts";
import type { Signal } from "../../relay/types.ts";
import type { Exchange } from "../exchange.ts";
import { COMMENT, EventStream, type Framing, type ServerEvent } from "./event-stream.ts";

/** An ask whose answer is streamed to the caller. */
export interface StreamedAsk {
  /**
   * Asks, and sends each event as it comes. Resolves when the ask has ended: with a response if the agent
   * answered without a stream, and the stream is not started.
   */
  run(events: EventStream, signal: Signal): Promise<Response | undefined>;
  /** Returns the events that end a stream which failed after its first event or keep-alive. */
  fail(error: AppError): readonly ServerEvent[];
  /** The text that a quiet stream sends now and then; a comment by default. Lines have none. */
  keepAlive?: string | undefined;
  /** How the events are written. */
  framing?: Framing | undefined;
}

export interface StreamAskDeps {
  clock: Clock;
  log: Log;
}

/**
 * Streams the answer of an ask. The first event decides the status: an ask that fails before it is rejected,
 * and is answered like any other error. If there is no event for some seconds, the status is 200, and a
 * failure is an event of the stream. The ask is cancelled when its caller leaves.
 */
export async function streamAsk(
  { request: { signal }, requestId, progress }: Exchange,
  { clock, log }: StreamAskDeps,
  ask: StreamedAsk,
): Promise<Response> {
  const departure = new Departure();
  const leave = () => departure.happen();
  if (signal.aborted) leave();
  // Never removed: once the ask has ended, nobody listens to the departure.
  signal.addEventListener("abort", leave);
  const keepAlive = () => progress.keepAlive(ask.keepAlive ?? COMMENT);
  const events = new EventStream({ clock, onGone: leave, keepAlive, framing: ask.framing });
  progress.follow(events);
  const asked = ask.run(events, departure);
  const succeed = (response: Response | undefined) => {
    if (response) events.discard();
    else events.end();
  };
  const fail = (thrown: unknown) => {
    if (!events.isStarted) return events.discard();
    const error = asAppError(thrown);
    log.warn("stream_failed", { request_id: requestId, error: error.code });
    events.sendAll(ask.fail(error));
    events.end();
  };
  void asked.then(succeed, fail);
  return (await Promise.race([events.started, asked])) ?? events.started;
}

/** Whether the caller has left. It costs a twentieth of an `AbortController`, which few streams would make use of. */
class Departure implements Signal {
  aborted = false;
  readonly #listeners = new Set<() => void>();

  addEventListener(_: "abort", listener: () => void): void {
    this.#listeners.add(listener);
  }

  happen(): void {
    if (this.aborted) return;
    this.aborted = true;
    for (const listener of this.#listeners) listener();
  }
}
