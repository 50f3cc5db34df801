/** Without its own beats for this long, a node hears nobody. */
const DEAF_MS = 2_500;
/** While nodes connect again, nobody listens at some of them. */
const RECONNECTED_MS = 2_000;
/** Ticks that are as late mean that the process or its event loop was suspended. */
const LATE_MS = 1_500;

/**
 * Tells whether this node itself can hear others: it is connected, and its own beats come back. Otherwise the silence
 * of the others means nothing.
 */
export class Hearing {
  #connected = true;
  #connectedAt = Number.NEGATIVE_INFINITY;
  #heardSelfAt: number;
  #tickAt: number;
  #awaySince: number | undefined;

  constructor(now: number) {
    this.#heardSelfAt = now;
    this.#tickAt = now;
  }

  get isAway(): boolean {
    return this.#awaySince !== undefined;
  }

  /** Whether the connection is so new that others may not have theirs. */
  isNew(now: number): boolean {
    return now - this.#connectedAt < RECONNECTED_MS;
  }

  connected(now: number): void {
    this.#connected = true;
    this.#connectedAt = now;
  }

  disconnected(now: number): void {
    this.#connected = false;
    this.#awaySince ??= now;
  }

  /** A beat of this node has come back. */
  heardSelf(now: number): void {
    this.#heardSelfAt = now;
  }

  /**
   * Returns for how long this node has heard nobody: 0 if it hears. `isBack`: it could not until this call, so the
   * others deserve some time.
   */
  tick(now: number): { awayMs: number; isBack: boolean } {
    const wasSuspended = now - this.#tickAt > LATE_MS;
    this.#tickAt = now;
    // What came meanwhile waits in the socket, and is read before the next tick.
    if (wasSuspended) this.#heardSelfAt = now;
    const hears = this.#connected && now - this.#heardSelfAt < DEAF_MS;
    if (!hears) {
      this.#awaySince ??= this.#heardSelfAt;
      return { awayMs: now - this.#awaySince, isBack: false };
    }
    const isBack = this.#awaySince !== undefined;
    this.#awaySince = undefined;
    return { awayMs: 0, isBack };
  }
}
