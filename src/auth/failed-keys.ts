import { subscriberNetwork } from "../net/addresses.ts";

interface FailedKeysOptions {
  /** The wrong keys that an address may send in a minute. */
  max: number;
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

  return {
    /**
     * Counts a wrong key. Once the address is over the limit, returns the milliseconds until its window ends;
     * `isFirst` is true for the first key over the limit. Until then returns undefined.
     */
    note(address: string | undefined): { retryAfterMs: number; isFirst: boolean } | undefined {
      const at = elapsedMs();
      const network = address === undefined ? "" : subscriberNetwork(address);
      const known = windows.get(network);
      if (known && known.since + WINDOW_MS > at) {
        known.failures++;
        if (known.failures <= max) return undefined;
        return { retryAfterMs: known.since + WINDOW_MS - at, isFirst: known.failures === max + 1 };
      }
      windows.delete(network);
      forgetOld(at);
      windows.set(network, { since: at, failures: 1 });
      return undefined;
    },
    /** The number of remembered addresses. */
    get size() {
      return windows.size;
    },
  };
}
