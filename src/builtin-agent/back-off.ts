export interface BackOff {
  /** The pause before the next try, in milliseconds. */
  next(): number;
  /** The next pause is a first one again. */
  reset(): void;
}

const FIRST_MS = 1000;
const MAX_MS = 60_000;

/**
 * Pauses whose upper end doubles from one second to one minute; each is anything up to that end ("full
 * jitter"), so that many agents that lost the same server do not come back together. `random` gives 0 to 1.
 */
export function createBackOff(random: () => number): BackOff {
  let endMs = FIRST_MS;
  return {
    next() {
      const pauseMs = Math.round(random() * endMs);
      endMs = Math.min(endMs * 2, MAX_MS);
      return pauseMs;
    },
    reset() {
      endMs = FIRST_MS;
    },
  };
}
