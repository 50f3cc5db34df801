import { partyOf } from "../net/addresses.ts";

/** Bounds what each address, IPv6 by /64, has under way at once, and all together. */
export interface Occupancy {
  /** Gives what ends it, which may be called twice; or which of the two bounds forbids it. */
  enter(address: string | undefined): (() => void) | "address" | "all";
  /** All that is under way. */
  readonly count: number;
}

interface OccupancyOptions {
  addressMax: number;
  allMax?: number;
}

export function createOccupancy({ addressMax, allMax = Infinity }: OccupancyOptions): Occupancy {
  const counts = new Map<string, number>();
  let all = 0;
  return {
    enter(address) {
      const party = address === undefined ? "" : partyOf(address);
      const count = counts.get(party) ?? 0;
      if (all >= allMax) return "all";
      if (count >= addressMax) return "address";
      counts.set(party, count + 1);
      all++;
      let isInside = true;
      return () => {
        if (!isInside) return;
        isInside = false;
        all--;
        const left = (counts.get(party) ?? 1) - 1;
        if (left > 0) counts.set(party, left);
        else counts.delete(party);
      };
    },
    get count() {
      return all;
    },
  };
}
