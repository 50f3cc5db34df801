import type { ServerEvent } from "../middleware/event-stream.ts";

/** About what an event takes besides its text. */
const EVENT_BYTES = 100;

/** The texts of many events as one, which spares the garbage collector thousands of objects. */
interface Packed {
  names: readonly string[];
  data: string;
  /** The index in `data` after each event. */
  ends: readonly number[];
}

/** The events of one response, in their order. */
export class EventLog {
  #events: ServerEvent[] = [];
  #packed: Packed | undefined;
  bytes = 0;

  /** Adds events, and returns the bytes that the log has grown by. */
  add(events: readonly ServerEvent[]): number {
    let bytes = 0;
    for (const event of events) {
      this.#events.push(event);
      bytes += event.data.length + EVENT_BYTES;
    }
    this.bytes += bytes;
    return bytes;
  }

  /** No event follows. */
  pack(): void {
    const events = this.#events;
    const ends: number[] = [];
    let end = 0;
    for (const { data } of events) {
      end += data.length;
      ends.push(end);
    }
    const names = events.map(({ event }) => event);
    this.#packed = { names, data: events.map(({ data }) => data).join(""), ends };
    this.#events = [];
  }

  clear(): void {
    this.#events = [];
    this.#packed = undefined;
    this.bytes = 0;
  }

  list(): readonly ServerEvent[] {
    if (!this.#packed) return this.#events;
    const { names, data, ends } = this.#packed;
    return names.map((event, index) => ({ event, data: data.slice(ends[index - 1] ?? 0, ends[index]) }));
  }
}
