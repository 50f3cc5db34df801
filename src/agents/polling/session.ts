import type { Cancel, Clock } from "../../clock.ts";
import { AppError } from "../../errors.ts";
import type { AnswerHead, SessionClose } from "../../protocol/agent-polling.ts";
import type { AgentConnection, AgentSocket } from "../connection.ts";
import { Outbox } from "./outbox.ts";

export interface SessionOptions {
  clock: Clock;
  /** How large a message of the agent may be. */
  frameBytesMax: number;
  /** How much may wait for the agent. */
  waitingBytesMax: number;
  /** Called once, when the agent has left or was sent away. */
  onClosed: (close: SessionClose) => void;
}

type Connection = Pick<AgentConnection, "receive" | "drained" | "stalled">;

/** In the place of a connection that is closed. */
const CLOSED: Connection = { receive() {}, drained() {}, stalled() {} };

/** How long a poll is kept that has nothing to answer. Proxies end requests that are silent for 30 s or more. */
export const POLL_MS = 25_000;

/**
 * How long a session lasts without a request. A cut poll is repeated within seconds, and an agent that is gone must not
 * keep its requests for long.
 */
export const ABSENT_MS = 15_000;

/** After this time without a request, an agent gets no asks until the next one. Most cut polls are repeated before. */
const AWAY_MS = 1_000;

/** The close code of a session whose agent does not come back, or does not read. */
const GONE = 1006;

/** An answer of the session: its head, and the messages. */
export interface SessionAnswer {
  head: AnswerHead;
  messages: string[];
}

/**
 * The socket of an agent that long-polls: passes what its requests bring on to its connection, and keeps what the
 * connection sends until the agent has acknowledged it.
 */
export class PollingSession implements AgentSocket {
  readonly #outbox = new Outbox();
  /** The number of the last message of the agent. */
  #received = 0;
  #requests = 0;
  #stopAbsence: Cancel = () => {};
  #close: SessionClose | undefined;
  /** Answers the poll that waits, if it is still the last one. */
  #endPoll: ((isLast: boolean) => void) | undefined;
  #isFull = false;
  #isScheduled = false;
  /** No request has come for a while. */
  #isAway = false;
  #reading: AbortController | undefined;
  #answering: AbortController | undefined;
  readonly #told = Promise.withResolvers<void>();
  /** Resolves once an answer tells the agent that the session has ended, or if it does not come for that. */
  readonly told = this.#told.promise;

  constructor(
    private connection: Connection,
    private options: SessionOptions,
  ) {
    this.#awaitRequest();
  }

  /* For the requests of the agent. */

  /** A request has come. Returns a function to be called once, when it has ended. */
  enter(): () => void {
    this.#stopAbsence();
    this.#requests++;
    if (this.#isAway) {
      this.#isAway = false;
      this.connection.drained();
    }
    return () => {
      if (--this.#requests === 0) this.#awaitRequest();
    };
  }

  /** A large body is being read. The signal ends that when another one comes, as the agent has given the first up. */
  startReading(): AbortSignal {
    this.#reading?.abort(new AppError("caller_gone"));
    this.#reading = new AbortController();
    return this.#reading.signal;
  }

  /** A large answer is being sent. The signal ends that when another one begins, as it has the same messages. */
  startAnswering(): AbortSignal {
    this.#answering?.abort();
    this.#answering = new AbortController();
    return this.#answering.signal;
  }

  get isEnded(): boolean {
    return this.#close !== undefined;
  }

  /** Takes the messages of a request, from the number `first` on, and drops those that it has. */
  receive(first: number, messages: readonly string[]): void {
    for (const [index, message] of messages.entries()) {
      if (this.#close || first + index !== this.#received + 1) continue;
      if (isOver(message, this.options.frameBytesMax)) {
        this.#end({ code: 1009, reason: "the frame is too large" });
        return;
      }
      this.#received++;
      this.connection.receive(message);
    }
  }

  /** The agent has the messages up to this number. */
  acknowledge(number: number): void {
    this.#outbox.acknowledge(number);
    this.#noteDrained();
  }

  /** The agent leaves. */
  leave(close: SessionClose): void {
    this.#end(close);
    // It wants no more messages.
    this.#outbox.clear();
  }

  /** Returns an answer without messages. */
  report(): SessionAnswer {
    const close = this.#outbox.isEmpty ? this.#close : undefined;
    return { head: this.#head({ close }), messages: [] };
  }

  /** Resolves once there are messages for the agent; with none when the time is over, or another poll has come. */
  async poll(signal: AbortSignal): Promise<SessionAnswer> {
    this.#endPoll?.(false);
    const mustWait = this.#outbox.isEmpty && !this.#close && !signal.aborted;
    // What another poll will bring must not travel twice.
    if (mustWait && !(await this.#wait(signal))) return this.report();
    const { first, messages, isAll } = this.#outbox.batch();
    return { head: this.#head({ first, close: isAll ? this.#close : undefined }), messages };
  }

  #head(more: Pick<AnswerHead, "first" | "close">): AnswerHead {
    if (more.close) this.#told.resolve();
    return { received: this.#received, sent: this.#outbox.lastNumber, ...more };
  }

  /** Resolves with whether the poll is still the last one. */
  #wait(signal: AbortSignal): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const end = (isLast: boolean) => {
      stop();
      if (this.#endPoll === end) this.#endPoll = undefined;
      resolve(isLast);
    };
    const stop = this.options.clock.after(POLL_MS, () => end(true));
    signal.addEventListener("abort", () => end(false), { once: true });
    this.#endPoll = end;
    return promise;
  }

  /** The runtime has taken more of an answer. */
  took(bytes: number): void {
    this.#outbox.took(bytes);
    this.#noteDrained();
  }

  #noteDrained(): void {
    if (!this.#isFull || this.#outbox.bufferedBytes > 0) return;
    this.#isFull = false;
    this.connection.drained();
  }

  #awaitRequest(): void {
    if (this.#close) return;
    const { clock } = this.options;
    this.#stopAbsence = clock.after(AWAY_MS, () => {
      this.#isAway = true;
      this.connection.stalled();
      this.#stopAbsence = clock.after(ABSENT_MS - AWAY_MS, () => {
        this.#told.resolve();
        this.#end({ code: GONE, reason: "no request in time" });
      });
    });
  }

  /* For the connection. */

  sendText(text: string): number {
    if (this.#close) return 0;
    const bytes = Buffer.byteLength(text);
    if (!this.#outbox.add(text, bytes, this.options.waitingBytesMax)) {
      queueMicrotask(() => this.#end({ code: GONE, reason: "the agent does not read" }));
      return 0;
    }
    this.#answerSoon();
    if (this.#outbox.bufferedBytes === 0) return bytes;
    this.#isFull = true;
    return -1;
  }

  getBufferedAmount(): number {
    return this.#outbox.bufferedBytes;
  }

  close(code: number, reason: string): void {
    this.#end({ code, reason });
  }

  /** Answers the poll with all that is sent in this turn of the event loop. */
  #answerSoon(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#endPoll?.(true);
    });
  }

  #end(close: SessionClose): void {
    if (this.#close) return;
    this.#close = close;
    this.#stopAbsence();
    // The asks of an agent that has gone are lost. One that was sent away has time to read what was sent before.
    if (close.code === GONE) this.#outbox.clear();
    else if (!this.#outbox.isEmpty) this.options.clock.after(ABSENT_MS, () => this.#outbox.clear());
    this.#answerSoon();
    this.options.onClosed(close);
    // What is left of the session tells why it has ended. It must not keep all that the agent offered.
    this.connection = CLOSED;
    this.options = { ...this.options, onClosed() {} };
  }
}

/** A UTF-16 unit takes at most three bytes in UTF-8. */
const isOver = (text: string, bytesMax: number): boolean =>
  text.length * 3 > bytesMax && Buffer.byteLength(text) > bytesMax;
