/**
 * Collects the frames of one turn of the event loop, and sends them in one message, as a JSON list: a turn under load
 * has many small frames, of many asks, and each message costs both sides a system call.
 */
export class FrameBatch {
  /** How long a message may be. No frame is held back before it is known that the server takes lists. */
  lengthMax = 0;
  #held: string[] = [];
  /** The length of the list that they make: each has a comma or the closing bracket after it. */
  #length = 1;

  constructor(private readonly sendNow: (text: string) => void) {}

  /** Sends a frame, in order, by the end of the turn. */
  send(frame: string): void {
    const length = frame.length + 1;
    if (this.#length + length > this.lengthMax) this.flush();
    if (1 + length > this.lengthMax) this.sendNow(frame);
    else {
      if (this.#held.length === 0) setImmediate(() => this.flush());
      this.#held.push(frame);
      this.#length += length;
    }
  }

  /** Sends what is held. */
  flush(): void {
    const [first, ...more] = this.#held;
    if (first === undefined) return;
    this.sendNow(more.length === 0 ? first : `[${this.#held.join(",")}]`);
    this.#held = [];
    this.#length = 1;
  }
}
