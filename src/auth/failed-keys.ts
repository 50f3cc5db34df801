import { subscriberNetwork } from "../net/addresses.ts";

/**
 * Counts the wrong keys that come from each address, IPv6 by /64. It never looks at a right one: whoever shares an
 * address with somebody who guesses must not be shut out with him.
 */
export interface FailedKeys {
  /**
   * Notes a wrong key. Gives the milliseconds after which the address is listened to again, where it has had its
   * share; `isFirst` then says that it has just used it up. Undefined as long as it has not.
   */
  note(address: string | undefined): { retryAfterMs: number; isFirst: boolean } | undefined;
  /** How many addresses are remembered. */
  readonly size: number;
}

interface FailedKeysOptions {
  /** Wrong keys that an address may send in `windowMs`. */
  max: number;
  windowMs?: number;
  /** Addresses that are remembered; beyond it, those whose window began first are forgotten. */
  partiesMax?: number;
  /** Milliseconds of a clock that nobody sets. */
  elapsedMs: () => number;
}

const WINDOW_MS = 60_000;
const PARTIES_MAX = 10_000;

export function createFailedKeys(options: FailedKeysOptions): FailedKeys {
  const { max, windowMs = WINDOW_MS, partiesMax = PARTIES_MAX, elapsedMs } = options;
  // In the order in which the windows began, as a window that is over is taken out before it begins anew.
  const windows = new Map<string, { since: number; failures: number }>();

  function forgetOld(at: number): void {
    for (const [party, { since }] of windows) {
      if (since + windowMs > at && windows.size < partiesMax) return;
      windows.delete(party);
    }
  }

  return {
    note(address) {
      const at = elapsedMs();
      const party = address === undefined ? "" : subscriberNetwork(address);
      const known = windows.get(party);
      if (known && known.since + windowMs > at) {
        known.failures++;
        if (known.failures <= max) return undefined;
        return { retryAfterMs: known.since + windowMs - at, isFirst: known.failures === max + 1 };
      }
      windows.delete(party);
      forgetOld(at);
      windows.set(party, { since: at, failures: 1 });
      return undefined;
    },
    get size() {
      return windows.size;
    },
  };
}
