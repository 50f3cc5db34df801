import type { Cancel, Clock } from "../../clock.ts";
import { AppError } from "../../errors.ts";
import type { FrameOf } from "../../protocol/node/frames.ts";
import { errorOf } from "../exchange/error-fields.ts";
import type { Link, NodeInfo } from "../part.ts";
import type { RemoteReading, RemoteSink, ResponseEvent } from "./held-responses.ts";

interface ReadingsOptions {
  link: Pick<Link, "send">;
  clock: Pick<Clock, "after">;
}

/** A node begins to send the events within this time. */
const BEGIN_MS = 1_000;
/** Two nodes that have lost each other and live on meet again within this time. */
const REJOIN_MS = 5_000;
/** A node gets an acknowledgement each time this much was passed on. */
const ACK_LENGTH = 256 * 1024;
/** The events that this node reads at others at the same time. */
const READINGS_MAX = 10_000;

const BUSY = "This node reads too many responses of other nodes.";

type Ending = { error: AppError | undefined } | "lost";

interface Reading {
  nodeId: string;
  owner: string | null;
  id: string;
  sink: RemoteSink | undefined;
  /** The events that came before there was a sink. The other node sends no more than its window. */
  early: ResponseEvent[];
  /** Whether the other node has ended it, with an error or without. */
  ended: Ending | undefined;
  passed: number;
  confirmed: number;
  /** Ends the wait for the other node. */
  stopTimer: Cancel;
  /** Settles `open`. */
  begin: (error?: AppError) => void;
}

/** The responses of other nodes that callers of this one read. */
export class Readings {
  readonly #readings = new Map<string, Reading>();

  constructor(private readonly options: ReadingsOptions) {}

  /** How many there are. */
  get size(): number {
    return this.#readings.size;
  }

  /**
   * Begins to read the events of a response after this number. Resolves once its node has it. Rejects with the
   * `AppError` of that node, or with `response_elsewhere` if it does not answer.
   */
  open(nodeId: string, owner: string | null, id: string, after: number): Promise<RemoteReading> {
    if (this.#readings.size >= READINGS_MAX)
      return Promise.reject(new AppError("response_elsewhere", { hint: BUSY }));
    const { promise, resolve, reject } = Promise.withResolvers<RemoteReading>();
    const name = crypto.randomUUID();
    const reading: Reading = {
      ...{ nodeId, owner, id, sink: undefined, early: [], ended: undefined, passed: 0, confirmed: 0 },
      stopTimer: () => {},
      begin: (error) =>
        error ? reject(error) : resolve({ read: (sink) => this.#attach(name, reading, sink) }),
    };
    this.#readings.set(name, reading);
    this.#ask(name, reading, after, () => {
      this.#leave(name, reading);
      reading.begin(new AppError("response_elsewhere"));
    });
    return promise;
  }

  take({ id: nodeId }: NodeInfo, { reader, events }: FrameOf<"response_events">): void {
    const reading = this.#readings.get(reader);
    if (reading?.nodeId !== nodeId) return;
    reading.stopTimer();
    reading.begin();
    const taken = events.map(([event, data]) => ({ event, data }));
    if (reading.sink) this.#pass(reader, reading, taken);
    else reading.early.push(...taken);
  }

  end({ id: nodeId }: NodeInfo, { reader, error }: FrameOf<"response_end">): void {
    const reading = this.#readings.get(reader);
    if (reading?.nodeId === nodeId) this.#end(reader, reading, { error: error && errorOf(error) });
  }

  /** The node is back: goes on where the events have stopped. */
  joined({ id }: NodeInfo): void {
    for (const [name, reading] of this.#readings) {
      if (reading.nodeId !== id || !reading.sink) continue;
      reading.stopTimer();
      reading.passed = 0;
      reading.confirmed = 0;
      this.#ask(name, reading, reading.sink.after(), () => this.#end(name, reading, "lost"));
    }
  }

  /** The node is lost. It may be back soon, with all that it had. */
  lost({ id }: NodeInfo): void {
    for (const [name, reading] of [...this.#readings]) {
      if (reading.nodeId !== id) continue;
      reading.stopTimer();
      if (reading.sink)
        reading.stopTimer = this.options.clock.after(REJOIN_MS, () => this.#end(name, reading, "lost"));
      else this.#end(name, reading, "lost");
    }
  }

  stop(): void {
    for (const [name, reading] of [...this.#readings]) this.#end(name, reading, "lost");
  }

  #ask(name: string, { nodeId, owner, id }: Reading, after: number, unanswered: () => void): void {
    const { link, clock } = this.options;
    const reading = this.#readings.get(name);
    if (reading) reading.stopTimer = clock.after(BEGIN_MS, unanswered);
    link.send(nodeId, { kind: "read_response", reader: name, user: owner, id, after });
  }

  #attach(name: string, reading: Reading, sink: RemoteSink): () => void {
    reading.sink = sink;
    const early = reading.early.splice(0);
    this.#pass(name, reading, early);
    if (reading.ended) tell(sink, reading.ended);
    return () => this.#leave(name, reading);
  }

  #pass(name: string, reading: Reading, events: readonly ResponseEvent[]): void {
    reading.sink?.sendAll(events);
    for (const { data } of events) reading.passed += data.length;
    if (reading.passed - reading.confirmed < ACK_LENGTH || this.#readings.get(name) !== reading) return;
    reading.confirmed = reading.passed;
    const { nodeId, passed: length } = reading;
    this.options.link.send(nodeId, { kind: "response_ack", reader: name, length });
  }

  #end(name: string, reading: Reading, ending: Ending): void {
    reading.stopTimer();
    this.#readings.delete(name);
    reading.ended = ending;
    // Without effect if it has begun.
    reading.begin(ending === "lost" ? new AppError("response_elsewhere") : ending.error);
    if (reading.sink) tell(reading.sink, ending);
  }

  #leave(name: string, reading: Reading): void {
    reading.stopTimer();
    if (!this.#readings.delete(name)) return;
    this.options.link.send(reading.nodeId, { kind: "leave_response", reader: name });
  }
}

function tell(sink: RemoteSink, ending: Ending): void {
  if (ending === "lost") sink.lost();
  else sink.end(ending.error);
}
