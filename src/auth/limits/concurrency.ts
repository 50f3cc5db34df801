import { subscriberNetwork } from "../../net/addresses.ts";
import { once } from "../../once.ts";

export type ConcurrencyLimit = ReturnType<typeof createConcurrencyLimit>;

/**
 * Limits how many requests or connections each address, and all addresses together, may have open at once.
 * IPv6 addresses of one /64 network count as one address.
 */
export function createConcurrencyLimit(limits: { addressMax: () => number; allMax?: number }) {
  const { addressMax, allMax = Infinity } = limits;
  const counts = new Map<string, number>();
  let all = 0;
  return {
    /**
     * Counts one more. Returns a function to call at its end; further calls do nothing. If a limit is
     * reached, returns which limit instead.
     */
    enter(address: string | undefined): (() => void) | "address" | "all" {
      const network = address === undefined ? "" : subscriberNetwork(address);
      const count = counts.get(network) ?? 0;
      if (all >= allMax) return "all";
      if (count >= addressMax()) return "address";
      counts.set(network, count + 1);
      all++;
      return once(() => {
        all--;
        const left = (counts.get(network) ?? 1) - 1;
        if (left > 0) counts.set(network, left);
        else counts.delete(network);
      });
    },
    /** The number that is open now, of all addresses. */
    get count() {
      return all;
    },
  };
}
