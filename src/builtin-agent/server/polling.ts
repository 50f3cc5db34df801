import type { Cancel } from "../../clock.ts";
import { type AnswerHead, BODY_BYTES, MESSAGES_MAX, type RequestHead } from "../../protocol/agent-polling.ts";
import type { AgentFrame, ServerFrame } from "../../protocol/agent-v2.ts";
import { FrameWriter } from "./frame-writer.ts";
import { type PollAnswer, type PollFailure, PollingRequests, type PollOutcome } from "./polling-requests.ts";
import { readFrame } from "./read-frame.ts";
import {
  type ConnectionEnd,
  type ConnectionOptions,
  endOf,
  type ServerConnection,
} from "./server-connection.ts";

export interface PollingOptions extends Omit<ConnectionOptions, "onEnd"> {
  /** Called once. No other callback follows. `wasReady`: the server has answered the hello. */
  onEnd: (end: ConnectionEnd & { wasReady: boolean }) => void;
}

/** How long the server may take until its `ready`. */
const OPEN_MS = 20_000;
const CLOSE_MS = 1000;
const BUFFER_BYTES_MAX = 1024 * 1024;
const RETRY_MS = 100;
const RETRY_MAX_MS = 2_000;
/** The times of a server that does not tell its own. */
const POLL_MS = 25_000;
const ABSENT_MS = 15_000;
/** Times that a server tells count up to this. */
const TOLD_MS_MAX = 600_000;
const TOO_LARGE =
  "a proxy on the way refused a large request (413): raise its limit, client_max_body_size of nginx";

interface Message {
  text: string;
  bytes: number;
}

/**
 * A connection by long-polling: one request waits for messages of the server, and another one carries what has
 * gathered since the last. Whatever fails is repeated, as both sides drop what they have already.
 */
export class PollingConnection implements ServerConnection {
  readonly #writer = new FrameWriter((text) => this.#add(text));
  readonly #requests: PollingRequests;
  /** The messages that the server has not acknowledged. */
  readonly #unsent: Message[] = [];
  #unsentBytes = 0;
  #firstNumber = 1;
  #isSending = false;
  /** The number of the last message of the server that was read, and of the last that it told of. */
  #received = 0;
  #told = 0;
  #pollMs = POLL_MS;
  #absentMs = ABSENT_MS;
  #isBegun = false;
  #isOver = false;
  #isLeaving = false;
  #cancelTimer: Cancel = () => {};
  /** End the pauses before requests are repeated. */
  readonly #pauses = new Set<() => void>();
  readonly #waiting: { isDone: () => boolean; resolve: () => void }[] = [];

  constructor(private readonly options: PollingOptions) {
    this.#requests = new PollingRequests(options);
    this.#endAfter(OPEN_MS, "the server does not answer the hello");
    void this.#begin();
  }

  get frameBytesMax(): number {
    return this.#writer.frameBytesMax;
  }

  get silenceMs(): number | undefined {
    return this.#writer.silenceMs;
  }

  send(frame: AgentFrame): boolean {
    return this.#isOver || this.#writer.send(frame);
  }

  /** The server sends no ask that may be answered in bytes to an agent that long-polls. */
  sendPiece(): void {}

  room(): Promise<void> {
    return this.#until(() => this.#unsentBytes <= BUFFER_BYTES_MAX);
  }

  /** Resolves once the server has all that was sent, and this agent all that the server had sent by then. */
  settled(): Promise<void> {
    this.#writer.flush();
    return this.#until(() => this.#unsent.length === 0 && this.#received >= this.#told);
  }

  close(): void {
    this.#writer.flush();
    this.#isLeaving = true;
    this.#endAfter(CLOSE_MS, "closed");
    this.#endPauses();
    void this.#pump();
  }

  get #isReady(): boolean {
    return Number.isFinite(this.frameBytesMax);
  }

  async #begin(): Promise<void> {
    const { answer, failure } = await this.#requests.begin();
    if (failure) return this.#end(failure);
    this.#pollMs = Math.min(answer.head.poll_ms ?? POLL_MS, TOLD_MS_MAX);
    this.#absentMs = Math.min(answer.head.absent_ms ?? ABSENT_MS, TOLD_MS_MAX);
    this.#isBegun = true;
    this.send(this.options.hello());
    void this.#poll();
    void this.#pump();
  }

  /* To the server. */

  #add(text: string): void {
    const bytes = Buffer.byteLength(text);
    this.#unsent.push({ text, bytes });
    this.#unsentBytes += bytes;
    void this.#pump();
  }

  /** Sends what has gathered, and what gathers meanwhile, one request after the other. */
  async #pump(): Promise<void> {
    if (this.#isSending || !this.#isBegun) return;
    this.#isSending = true;
    while (!this.#isOver && (this.#unsent.length > 0 || this.#isLeaving)) {
      const first = this.#firstNumber;
      const outcome = await this.#repeat(() => this.#sendBatch());
      if (outcome) this.#takeHead(outcome.head);
      // A server that acknowledges nothing would get the same again and again.
      if (this.#firstNumber === first && !this.#isOver) await this.#pause(RETRY_MS);
    }
    this.#isSending = false;
  }

  #sendBatch(): Promise<PollOutcome> {
    let count = 0;
    for (let bytes = 0; count < Math.min(this.#unsent.length, MESSAGES_MAX); count++) {
      bytes += this.#unsent[count]?.bytes ?? 0;
      if (count > 0 && bytes > BODY_BYTES) break;
    }
    const isAll = count === this.#unsent.length;
    const head: RequestHead = {
      ...(count > 0 && { first: this.#firstNumber }),
      ...(isAll && this.#isLeaving && { close: { code: 1000, reason: "leaving" } }),
    };
    const messages = this.#unsent.slice(0, count).map(({ text }) => text);
    return this.#requests.exchange(head, messages);
  }

  #takeHead({ received, sent, close }: AnswerHead): void {
    const count = Math.min(received - this.#firstNumber + 1, this.#unsent.length);
    for (const { bytes } of this.#unsent.splice(0, Math.max(count, 0))) this.#unsentBytes -= bytes;
    this.#firstNumber += Math.max(count, 0);
    this.#told = Math.max(this.#told, sent);
    if (close) this.#end(endOf(close.code, close.reason));
    this.#look();
  }

  /* From the server. */

  async #poll(): Promise<void> {
    while (!this.#isOver) {
      const received = this.#received;
      const askedAt = this.options.clock.now();
      const answer = await this.#repeat(() => this.#requests.exchange({ received }, [], this.#pollMs));
      if (answer) this.#read(answer);
      // A server that answers at once, and with nothing, would be asked again and again.
      const isEarly = this.options.clock.now() - askedAt < RETRY_MS;
      if (this.#received === received && isEarly && !this.#isOver) await this.#pause(RETRY_MS);
    }
  }

  #read({ head, messages }: PollAnswer): void {
    for (const [index, message] of messages.entries()) {
      const number = (head.first ?? 1) + index;
      if (this.#isOver || number !== this.#received + 1) continue;
      this.#received = number;
      const frame = readFrame(message, this.options.log);
      if (frame) this.#handle(frame);
    }
    this.#takeHead(head);
  }

  #handle(frame: ServerFrame): void {
    if (frame.type === "ready") {
      this.#writer.ready(frame);
      this.#cancelTimer();
    }
    if (frame.type === "ping") this.send({ type: "pong" });
    this.options.onFrame(frame);
  }

  /**
   * Repeats a request until it succeeds. If it has failed for as long as the server keeps a session, or for a reason
   * that stays, the connection ends, and the result is undefined.
   */
  async #repeat(run: () => Promise<PollOutcome>): Promise<PollAnswer | undefined> {
    const { clock } = this.options;
    const startedAt = clock.now();
    let failedAt: number | undefined;
    for (let retryMs = RETRY_MS; !this.#isOver; retryMs = Math.min(retryMs * 2, RETRY_MAX_MS)) {
      const { answer, failure } = await run();
      if (answer) return answer;
      failedAt ??= Math.max(startedAt, clock.now());
      if (this.#isLeaving || mustEnd(failure) || clock.now() - failedAt >= this.#absentMs)
        this.#end(endOfFailure(failure));
      else await this.#pause(retryMs);
    }
    return undefined;
  }

  /** Resolves after this time, or when the connection is to end. */
  #pause(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const wake = () => {
      stop();
      this.#pauses.delete(wake);
      resolve();
    };
    const stop = this.options.clock.after(ms, wake);
    this.#pauses.add(wake);
    return promise;
  }

  #endPauses(): void {
    for (const wake of this.#pauses) wake();
  }

  /* The end. */

  #until(isDone: () => boolean): Promise<void> {
    if (this.#isOver || isDone()) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ isDone, resolve }));
  }

  #look(): void {
    const waiting = this.#waiting.splice(0);
    for (const entry of waiting) {
      if (this.#isOver || entry.isDone()) entry.resolve();
      else this.#waiting.push(entry);
    }
  }

  #endAfter(ms: number, reason: string): void {
    this.#cancelTimer();
    this.#cancelTimer = this.options.clock.after(ms, () => this.#end({ reason, final: false }));
  }

  #end({ reason, final }: ConnectionEnd): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cancelTimer();
    this.#requests.abort();
    this.#endPauses();
    this.#look();
    this.options.onEnd({ reason, final, wasReady: this.#isReady });
  }
}

/** Whether repeating the request is of no use. */
const mustEnd = ({ status, final }: PollFailure): boolean =>
  final || status === 404 || status === 413 || (status !== undefined && status < 400);

function endOfFailure({ status, reason, final }: PollFailure): ConnectionEnd {
  if (status === 413) return { reason: TOO_LARGE, final: false };
  return { reason, final };
}
