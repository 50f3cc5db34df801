export interface BackOff {
  /** Returns the pause before the next attempt, in milliseconds. */
  next(): number;
  /** Starts again with the shortest pause. */
  reset(): void;
}

const FIRST_MS = 1000;
const MAX_MS = 60_000;

/**
 * Pauses whose upper limit doubles from one second to one minute. Each pause is random up to that limit
 * ("full jitter"), so that many agents that lost the same server do not reconnect together. `random` returns
 * 0 to 1.
 */
export function createBackOff(random: () => number): BackOff {
  let limitMs = FIRST_MS;
  return {
    next() {
      const pauseMs = Math.round(random() * limitMs);
      limitMs = Math.min(limitMs * 2, MAX_MS);
      return pauseMs;
    },
    reset() {
      limitMs = FIRST_MS;
    },
  };
}
