import { subscriberNetwork } from "../../net/addresses.ts";
import { once } from "../../once.ts";

interface StrangerShareOptions {
  /** How many requests of one address may wait at once. */
  addressMax: number;
  /** How many may wait in all. */
  allMax: number;
  /** How many bytes they may hold in all. */
  bytesMax: number;
}

interface Waiting {
  network: string;
  bytes: number;
  cut: () => void;
}

export type StrangerShare = ReturnType<typeof createStrangerShare>;

/**
 * The share of those requests that have not shown a right key, and which the server must wait for. It is
 * apart from the share of the others, so that strangers lock out nobody. When it is full, the request that
 * has waited longest makes room: a request whose key is in its body needs milliseconds, and nobody can keep
 * it out by waiting. IPv6 addresses of one /64 network count as one address.
 */
export function createStrangerShare({ addressMax, allMax, bytesMax }: StrangerShareOptions) {
  // Oldest first.
  const all = new Set<Waiting>();
  const ofNetworks = new Map<string, Set<Waiting>>();
  let bytesHeld = 0;

  function remove(waiting: Waiting): void {
    if (!all.delete(waiting)) return;
    bytesHeld -= waiting.bytes;
    const own = ofNetworks.get(waiting.network);
    own?.delete(waiting);
    if (own?.size === 0) ofNetworks.delete(waiting.network);
  }

  function cutOldest(waitings: Iterable<Waiting>): void {
    for (const oldest of waitings) {
      remove(oldest);
      oldest.cut();
      return;
    }
  }

  return {
    /**
     * Lets a request wait that may hold up to `bytes`. `cut` is called if it has to make room. Returns a
     * function to call at its end; further calls do nothing.
     */
    enter(address: string | undefined, bytes: number, cut: () => void): () => void {
      const network = address === undefined ? "" : subscriberNetwork(address);
      const own = ofNetworks.get(network);
      if (own && own.size >= addressMax) cutOldest(own);
      while (all.size > 0 && (all.size >= allMax || bytesHeld + bytes > bytesMax)) cutOldest(all);
      const waiting = { network, bytes, cut };
      all.add(waiting);
      bytesHeld += bytes;
      const present = ofNetworks.get(network) ?? new Set();
      ofNetworks.set(network, present.add(waiting));
      return once(() => remove(waiting));
    },
    /** How many requests wait now. */
    get count() {
      return all.size;
    },
  };
}
