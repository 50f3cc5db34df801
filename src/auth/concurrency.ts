import { subscriberNetwork } from "../net/addresses.ts";
import { once } from "../once.ts";

/** Limits what each address has open at once, and what all have together. IPv6 counts by /64. */
export interface ConcurrencyLimit {
  /** Returns a function that ends it, harmless when called twice, or the limit that forbids it. */
  enter(address: string | undefined): (() => void) | "address" | "all";
  /** How many are open in all. */
  readonly count: number;
}

interface ConcurrencyLimitOptions {
  addressMax: number;
  allMax?: number;
}

export function createConcurrencyLimit({
  addressMax,
  allMax = Infinity,
}: ConcurrencyLimitOptions): ConcurrencyLimit {
  const counts = new Map<string, number>();
  let all = 0;
  return {
    enter(address) {
      const network = address === undefined ? "" : subscriberNetwork(address);
      const count = counts.get(network) ?? 0;
      if (all >= allMax) return "all";
      if (count >= addressMax) return "address";
      counts.set(network, count + 1);
      all++;
      return once(() => {
        all--;
        const left = (counts.get(network) ?? 1) - 1;
        if (left > 0) counts.set(network, left);
        else counts.delete(network);
      });
    },
    get count() {
      return all;
    },
  };
}
