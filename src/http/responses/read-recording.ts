import type { Clock } from "../../clock.ts";
import type { ErrorStyle } from "../errors/style.ts";
import { COMMENT, EventStream } from "../middleware/event-stream.ts";
import type { EventSink } from "./recording.ts";

interface Reader {
  clock: Clock;
  /** Aborted when the reader has left. */
  signal: AbortSignal;
  style: ErrorStyle;
}

/** Something that has the events of a response. */
export interface Readable {
  read(sink: EventSink, after: number): () => void;
}

/**
 * Returns a stream of the events after this number, and then of those to come. It begins at once, with a comment. It
 * does not keep the ask from ending: a reader who leaves may come back.
 */
export function readRecording(
  recording: Readable,
  after: number,
  { clock, signal, style }: Reader,
): Promise<Response> {
  let leave = () => {};
  const events = new EventStream({
    clock,
    onGone: () => leave(),
    keepAlive: () => style.keepAlive ?? COMMENT,
  });
  // Throws before anything is sent if the events are not kept.
  try {
    leave = recording.read(events, after);
  } catch (error) {
    events.discard();
    throw error;
  }
  if (signal.aborted) leave();
  signal.addEventListener("abort", () => leave());
  events.comment("resumed");
  return events.started;
}
