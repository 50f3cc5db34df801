const FIRST_MS = 1000;
const MAX_MS = 60_000;

/**
 * Pauses between attempts, whose upper limit doubles from one second to one minute. Each pause is random up
 * to that limit ("full jitter"), so that many agents that lost the same server do not reconnect together.
 * Small enough to need no library.
 */
export class BackOff {
  #limitMs = FIRST_MS;

  /** `random` returns 0 to 1. */
  constructor(private readonly random: () => number) {}

  /** Returns the pause before the next attempt, in milliseconds. */
  next(): number {
    const pauseMs = Math.round(this.random() * this.#limitMs);
    this.#limitMs = Math.min(this.#limitMs * 2, MAX_MS);
    return pauseMs;
  }

  /** Starts again with the shortest pause. */
  reset(): void {
    this.#limitMs = FIRST_MS;
  }
}
