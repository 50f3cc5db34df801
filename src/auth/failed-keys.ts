import { subscriberNetwork } from "../net/addresses.ts";

interface FailedKeysOptions {
  /** Returns how many wrong keys an address may send in a minute. */
  max: () => number;
  /** The most addresses to remember. Beyond it, those with the oldest windows are forgotten. */
  networksMax?: number;
  /** Milliseconds of a monotonic clock. */
  elapsedMs: () => number;
}

const WINDOW_MS = 60_000;
const NETWORKS_MAX = 10_000;

export type FailedKeys = ReturnType<typeof createFailedKeys>;

/**
 * Counts the wrong keys from each address, IPv6 by /64. Right keys are never counted or refused: a user who
 * shares an address with an attacker must still get in. Hand-written to bound the memory, which
 * rate-limiter-flexible does not promise.
 */
export function createFailedKeys(options: FailedKeysOptions) {
  const { max, networksMax = NETWORKS_MAX, elapsedMs } = options;
  // Oldest window first: an expired window is deleted before a new one begins.
  const windows = new Map<string, { since: number; failures: number }>();

  function forgetOld(at: number): void {
    for (const [network, { since }] of windows) {
      if (since + WINDOW_MS > at && windows.size < networksMax) return;
      windows.delete(network);
    }
  }

  /** Returns the window of the address, which begins now if the last one has ended. */
  function windowOf(network: string, at: number) {
    const known = windows.get(network);
    if (known && known.since + WINDOW_MS > at) return known;
    windows.delete(network);
    forgetOld(at);
    const window = { since: at, failures: 0 };
    windows.set(network, window);
    return window;
  }

  return {
    /**
     * Counts the wrong keys of a request. Once the address is over the limit, returns the milliseconds until its
     * window ends; `isFirst` is true for the first request over the limit. Until then returns undefined.
     */
    note(address: string | undefined, count = 1): { retryAfterMs: number; isFirst: boolean } | undefined {
      const at = elapsedMs();
      const window = windowOf(address === undefined ? "" : subscriberNetwork(address), at);
      const allowed = max();
      const isFirst = window.failures <= allowed;
      window.failures += count;
      return window.failures <= allowed
        ? undefined
        : { retryAfterMs: window.since + WINDOW_MS - at, isFirst };
    },
    /** Takes back the count of one key that has proved right after all. */
    takeBack(address: string | undefined): void {
      const window = windowOf(address === undefined ? "" : subscriberNetwork(address), elapsedMs());
      window.failures = Math.max(0, window.failures - 1);
    },
    /** The number of remembered addresses. */
    get size() {
      return windows.size;
    },
  };
}
