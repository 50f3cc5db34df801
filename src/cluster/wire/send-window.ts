/** NATS may keep as much for a node that reads slowly, whatever it is set to: no less than its `max_payload`. */
const BYTES_MAX = 1024 * 1024;
const BYTES_MIN = 32 * 1024;
const START_MIN = 64 * 1024;
/** After as long without a loss, the window doubles. */
const GROW_MS = 60_000;

/**
 * How many bytes may be on their way to a node. NATS cuts off a node for which more waits than it keeps, and then all of
 * it is lost: so each loss halves the window.
 */
export class SendWindow {
  #bytes: number;
  #changedAt: number;

  /** `payloadMax`: the largest message that NATS takes, in bytes. */
  constructor(payloadMax: number, now: number) {
    this.#bytes = Math.min(Math.max(payloadMax, START_MIN), BYTES_MAX);
    this.#changedAt = now;
  }

  bytesAt(now: number): number {
    if (now - this.#changedAt >= GROW_MS) this.#change(this.#bytes * 2, now);
    return this.#bytes;
  }

  /** Messages were lost. */
  lost(now: number): void {
    this.#change(this.#bytes / 2, now);
  }

  #change(bytes: number, now: number): void {
    this.#bytes = Math.min(Math.max(bytes, BYTES_MIN), BYTES_MAX);
    this.#changedAt = now;
  }
}
