/** The upper limits of the first pause and of the longest ones. */
interface BackOffLimits {
  firstMs: number;
  maxMs: number;
}

const LIMITS: BackOffLimits = { firstMs: 1000, maxMs: 60_000 };

/**
 * Pauses between attempts, whose upper limit doubles, by default from one second to one minute. Each pause is random up
 * to that limit ("full jitter"), so that many agents that lost the same server do not reconnect together.
 * Small enough to need no library.
 */
export class BackOff {
  #limitMs: number;

  /** `random` returns 0 to 1. */
  constructor(
    private readonly random: () => number,
    private readonly limits: BackOffLimits = LIMITS,
  ) {
    this.#limitMs = limits.firstMs;
  }

  /** Returns the pause before the next attempt, in milliseconds. */
  next(): number {
    const pauseMs = Math.round(this.random() * this.#limitMs);
    this.#limitMs = Math.min(this.#limitMs * 2, this.limits.maxMs);
    return pauseMs;
  }

  /** Starts again with the shortest pause. */
  reset(): void {
    this.#limitMs = this.limits.firstMs;
  }
}
