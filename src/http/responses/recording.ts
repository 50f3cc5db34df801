import type { Cancel, Clock } from "../../clock.ts";
import { AppError } from "../../errors.ts";
import { field, parseJson } from "../../json/parse.ts";
import type { Signal } from "../../relay/types.ts";
import type { ServerEvent } from "../middleware/event-stream.ts";
import { responseIdOf } from "../models/affinity/response-id.ts";
import { isState } from "../models/responses/events.ts";
import type { KeptResponse } from "../models/responses/kept-response.ts";
import { EventLog } from "./event-log.ts";

/** Takes the events of a response. */
export interface EventSink {
  sendAll(events: readonly ServerEvent[]): void;
  end(): void;
}

interface RecordingOptions {
  clock: Pick<Clock, "after">;
  /** How long the ask goes on while nobody reads its events. */
  graceMs: number;
  /** Called when the id of the response is known, before anybody has it. */
  onNamed: (recording: Recording) => void;
  /** Called with the bytes that the recording has grown by. */
  onGrown: (recording: Recording, bytes: number) => void;
  onEnd: (recording: Recording) => void;
}

/**
 * The events of one streamed response, from its first to its last. A late reader gets those before,
 * and then each as it comes. The ask goes on for a while when its caller and all readers have left.
 */
export class Recording {
  readonly log = new EventLog();
  /** The id of the response, as soon as an event has told it. */
  id: string | undefined;
  isEnded = false;
  /** It took too much memory, so it cannot be read any more. */
  isTooLong = false;
  /** Its response was deleted, and is not kept when it ends. */
  isDeleted = false;
  /** Its user may not go on: what is stored about it is brought to an end, and nothing stays in memory. */
  isForgotten = false;
  /** The last event that told the state of the whole response. */
  state: ServerEvent | undefined;
  /** The request, with the answer so far. */
  response: KeptResponse | undefined;
  /** Aborted when the ask must end. */
  readonly signal = new Abort();
  readonly #options: RecordingOptions;
  readonly #sinks = new Set<EventSink>();
  #isCallerGone = false;
  #stopTimer: Cancel | undefined;
  #onEnd: (() => void)[] = [];

  constructor(options: RecordingOptions) {
    this.#options = options;
  }

  /** Names a response whose id is known before its first event. */
  name(id: string): void {
    this.id = id;
    this.#options.onNamed(this);
  }

  /** Adds events of the response, and passes them on to the readers. */
  add(events: readonly ServerEvent[]): void {
    const [first] = events;
    if (this.isEnded || !first) return;
    if (this.id === undefined) {
      const id = responseIdOf(first.data);
      if (id !== undefined) this.name(id);
    }
    for (const event of events) if (isState(event)) this.state = event;
    if (!this.isTooLong) {
      const bytes = this.log.add(events);
      if (this.id !== undefined) this.#options.onGrown(this, bytes);
    }
    for (const sink of this.#sinks) sink.sendAll(events);
  }

  /** No event follows. */
  end(): void {
    if (this.isEnded) return;
    this.isEnded = true;
    this.log.pack();
    this.#stopTimer?.();
    for (const sink of this.#sinks) sink.end();
    this.#sinks.clear();
    this.#options.onEnd(this);
    for (const run of this.#onEnd.splice(0)) run();
  }

  /** Resolves after the last event. */
  ended(): Promise<void> {
    if (this.isEnded) return Promise.resolve();
    return new Promise((resolve) => void this.#onEnd.push(resolve));
  }

  /** Forgets the events: the recording cannot be read any more. */
  drop(): void {
    this.log.clear();
    this.isTooLong = true;
    if (this.#isCallerGone && this.#sinks.size === 0) this.signal.abort();
  }

  /** The connection of the caller who began the response was closed. */
  callerLeft(): void {
    this.#isCallerGone = true;
    this.#wait();
  }

  /**
   * Sends the events after this number to the sink, and then those to come. Returns a function that ends it. Throws
   * `response_not_resumable` if the events are not kept.
   */
  read(sink: EventSink, after: number): () => void {
    if (this.isTooLong) throw notResumable();
    const events = this.log.list();
    sink.sendAll(eventsAfter(events, after));
    if (this.isEnded) {
      sink.end();
      return () => {};
    }
    this.#stopTimer?.();
    const last = events.at(-1);
    // The reader may want only events that are far ahead.
    const live = after > (last ? (numberOf(last) ?? events.length - 1) : -1) ? skipping(sink, after) : sink;
    this.#sinks.add(live);
    return () => {
      this.#sinks.delete(live);
      this.#wait();
    };
  }

  /** Ends the ask after the grace, unless somebody reads. Without an id, nobody can. */
  #wait(): void {
    if (!this.#isCallerGone || this.isEnded || this.#sinks.size > 0) return;
    this.#stopTimer?.();
    const { clock, graceMs } = this.#options;
    if (graceMs === 0 || this.id === undefined || this.isTooLong) this.signal.abort();
    else this.#stopTimer = clock.after(graceMs, () => this.signal.abort());
  }
}

/** Returns a sink without the events up to this number. Those without a number pass. */
function skipping(sink: EventSink, after: number): EventSink {
  return {
    sendAll: (events) => sink.sendAll(events.filter((event) => (numberOf(event) ?? after + 1) > after)),
    end: () => sink.end(),
  };
}

export const notResumable = (): AppError =>
  new AppError("response_not_resumable", {
    hint: "Its events are not kept, or not any more. Read the response without `stream`.",
  });

/** Returns the events with a number above `after`, in their order. */
export function eventsAfter(events: readonly ServerEvent[], after: number): readonly ServerEvent[] {
  if (after < 0) return events;
  // Events count from 0, so this is most often the place.
  const guess = events[after];
  if (guess && numberOf(guess) === after) return events.slice(after + 1);
  const index = events.findIndex((event, at) => (numberOf(event) ?? at) > after);
  return index === -1 ? [] : events.slice(index);
}

/** Returns the number of an event. An upstream may leave it out. */
export function numberOf({ data }: ServerEvent): number | undefined {
  const found = field(parseJson(data), "sequence_number");
  return typeof found === "number" ? found : undefined;
}

class Abort implements Signal {
  aborted = false;
  readonly #listeners = new Set<() => void>();

  addEventListener(_: "abort", listener: () => void): void {
    this.#listeners.add(listener);
  }

  abort(): void {
    if (this.aborted) return;
    this.aborted = true;
    for (const listener of this.#listeners) listener();
  }
}
