import { AppError, asAppError } from "../../errors.ts";
import { EVENTS_MAX } from "../../protocol/node/bounds.ts";
import type { FrameOf } from "../../protocol/node/frames.ts";
import { errorFields } from "../exchange/error-fields.ts";
import type { Link, NodeInfo } from "../part.ts";
import type { HeldResponses, ResponseEvent } from "./held-responses.ts";

interface ReadersHereOptions {
  link: Pick<Link, "send">;
  held: () => Pick<HeldResponses, "read">;
}

/** The readers of one node. */
const READERS_MAX = 1_000;
/** How much a reader is sent that it has not confirmed. The rest waits here. */
const WINDOW_LENGTH = 1024 * 1024;
/** About the data of one frame. A longer event has a frame of its own. */
const FRAME_LENGTH = 64 * 1024;
/** How much of the events that are made meanwhile may wait for a reader, and of all events for those of one node. */
const LIVE_LENGTH_MAX = 8 * 1024 * 1024;
const NODE_LENGTH_MAX = 64 * 1024 * 1024;

const BUSY = "That node serves too many readers of other nodes.";

interface Reader {
  nodeId: string;
  /** Whether the node knows that the response is here. */
  isBegun: boolean;
  /** The events that were not sent yet, from `next` on. */
  events: ResponseEvent[];
  next: number;
  /** Their length, and the longest that it may be. */
  waiting: number;
  waitingMax: number;
  sent: number;
  confirmed: number;
  isEnded: boolean;
  leave: () => void;
}

/** The callers of other nodes who read responses of this one. One who reads slowly is sent no more than they take. */
export class ReadersHere {
  readonly #nodes = new Map<string, Map<string, Reader>>();

  constructor(private readonly options: ReadersHereOptions) {}

  /** How many there are. */
  get size(): number {
    let size = 0;
    for (const readers of this.#nodes.values()) size += readers.size;
    return size;
  }

  begin({ id: nodeId }: NodeInfo, { reader: name, user, id, after }: FrameOf<"read_response">): void {
    const readers = this.#nodes.getOrInsertComputed(nodeId, () => new Map());
    this.#stop(nodeId, name);
    if (readers.size >= READERS_MAX) {
      this.#refuse(nodeId, name, new AppError("response_elsewhere", { hint: BUSY }));
      return;
    }
    const reader: Reader = {
      ...{ nodeId, isBegun: false, events: [], next: 0, waiting: 0, waitingMax: Number.POSITIVE_INFINITY },
      ...{ sent: 0, confirmed: 0, isEnded: false, leave: () => {} },
    };
    readers.set(name, reader);
    try {
      reader.leave = this.options.held().read(user, id, after, {
        sendAll: (events) => this.#add(name, reader, events),
        end: () => {
          reader.isEnded = true;
          this.#pump(name, reader);
        },
      });
    } catch (error) {
      readers.delete(name);
      this.#refuse(nodeId, name, asAppError(error));
      return;
    }
    // What was there before takes no memory of its own.
    reader.waitingMax = reader.waiting + LIVE_LENGTH_MAX;
    reader.isBegun = true;
    this.options.link.send(nodeId, { kind: "response_events", reader: name, events: [] });
    this.#pump(name, reader);
  }

  confirm({ id }: NodeInfo, { reader: name, length }: FrameOf<"response_ack">): void {
    const reader = this.#nodes.get(id)?.get(name);
    if (!reader) return;
    reader.confirmed = Math.min(Math.max(length, reader.confirmed), reader.sent);
    this.#pump(name, reader);
  }

  leave({ id }: NodeInfo, { reader }: FrameOf<"leave_response">): void {
    this.#stop(id, reader);
  }

  lost({ id }: NodeInfo): void {
    for (const name of [...(this.#nodes.get(id)?.keys() ?? [])]) this.#stop(id, name);
    this.#nodes.delete(id);
  }

  #has(name: string, reader: Reader): boolean {
    return this.#nodes.get(reader.nodeId)?.get(name) === reader;
  }

  #stop(nodeId: string, name: string): void {
    const reader = this.#nodes.get(nodeId)?.get(name);
    this.#nodes.get(nodeId)?.delete(name);
    reader?.leave();
  }

  #refuse(nodeId: string, reader: string, error: AppError): void {
    this.options.link.send(nodeId, { kind: "response_end", reader, error: errorFields(error) });
  }

  #add(name: string, reader: Reader, events: readonly ResponseEvent[]): void {
    if (!this.#has(name, reader)) return;
    for (const event of events) {
      reader.events.push(event);
      reader.waiting += event.data.length;
    }
    if (!reader.isBegun) return;
    this.#pump(name, reader);
    const isTooMuch = reader.waiting > reader.waitingMax || this.#waitingFor(reader.nodeId) > NODE_LENGTH_MAX;
    if (isTooMuch && this.#has(name, reader)) this.#cutOff(name, reader);
  }

  #waitingFor(nodeId: string): number {
    let length = 0;
    for (const { waiting } of this.#nodes.get(nodeId)?.values() ?? []) length += waiting;
    return length;
  }

  /** The caller reads too slowly. */
  #cutOff(name: string, reader: Reader): void {
    this.#stop(reader.nodeId, name);
    this.#refuse(reader.nodeId, name, new AppError("caller_gone"));
  }

  /** Sends as much as the window has room for. */
  #pump(name: string, reader: Reader): void {
    const { link } = this.options;
    const { nodeId, events, isBegun } = reader;
    if (!isBegun) return;
    while (reader.next < events.length && reader.sent - reader.confirmed < WINDOW_LENGTH) {
      if (!this.#has(name, reader)) return;
      const { batch, length } = takeBatch(reader);
      reader.sent += length;
      reader.waiting -= length;
      const pairs = batch.map(({ event, data }): [string, string] => [event, data]);
      if (!link.send(nodeId, { kind: "response_events", reader: name, events: pairs })) {
        this.#cutOff(name, reader);
        return;
      }
    }
    if (reader.next < events.length) return;
    reader.events = [];
    reader.next = 0;
    if (!reader.isEnded || !this.#has(name, reader)) return;
    this.#nodes.get(nodeId)?.delete(name);
    link.send(nodeId, { kind: "response_end", reader: name });
  }
}

function takeBatch(reader: Reader): { batch: ResponseEvent[]; length: number } {
  const batch: ResponseEvent[] = [];
  let length = 0;
  while (batch.length < EVENTS_MAX) {
    const event = reader.events[reader.next];
    if (!event || (batch.length > 0 && length + event.data.length > FRAME_LENGTH)) break;
    batch.push(event);
    length += event.data.length;
    reader.next++;
  }
  return { batch, length };
}
