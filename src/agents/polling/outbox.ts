import { BODY_BYTES, MESSAGES_MAX } from "../../protocol/agent-polling.ts";

/** Messages that were not acknowledged yet count as taken up to here, as the system's buffers hold as much of a socket. */
const WINDOW_BYTES = 1024 * 1024;

interface Waiting {
  text: string;
  bytes: number;
}

/** Messages of the server for one body. */
export interface Batch {
  /** The number of the first; undefined if there is none. */
  first: number | undefined;
  messages: string[];
  /** Whether no more messages wait. */
  isAll: boolean;
}

/** The numbered messages of the server that an agent has not acknowledged. */
export class Outbox {
  readonly #waiting: Waiting[] = [];
  #firstNumber = 1;
  #bytes = 0;
  /** The bytes of the answer on its way that the runtime has taken. */
  #takenBytes = 0;

  /** Returns false, and adds nothing, if more than `bytesMax` would wait. */
  add(text: string, bytes: number, bytesMax: number): boolean {
    if (this.#bytes + bytes > bytesMax) return false;
    this.#waiting.push({ text, bytes });
    this.#bytes += bytes;
    return true;
  }

  /** The agent has the messages up to this number. */
  acknowledge(number: number): void {
    const count = Math.min(number - this.#firstNumber + 1, this.#waiting.length);
    if (count <= 0) return;
    for (const { bytes } of this.#waiting.splice(0, count)) this.#bytes -= bytes;
    this.#firstNumber += count;
    this.#takenBytes = 0;
  }

  /** Returns the messages to send now. They stay until they are acknowledged. */
  batch(): Batch {
    let count = 0;
    for (let bytes = 0; count < Math.min(this.#waiting.length, MESSAGES_MAX); count++) {
      bytes += this.#waiting[count]?.bytes ?? 0;
      if (count > 0 && bytes > BODY_BYTES) break;
    }
    this.#takenBytes = 0;
    const messages = this.#waiting.slice(0, count).map(({ text }) => text);
    const isAll = count === this.#waiting.length;
    return { first: count > 0 ? this.#firstNumber : undefined, messages, isAll };
  }

  /** Drops what waits, as if the agent had it. */
  clear(): void {
    this.acknowledge(this.lastNumber);
  }

  /** The runtime has taken more of the answer, which shows that the agent reads it. */
  took(bytes: number): void {
    this.#takenBytes += bytes;
  }

  /** The number of the last message; 0 if there was none. */
  get lastNumber(): number {
    return this.#firstNumber + this.#waiting.length - 1;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /** The bytes that wait beyond what a socket would have taken. */
  get bufferedBytes(): number {
    return Math.max(0, this.#bytes - this.#takenBytes - WINDOW_BYTES);
  }
}
