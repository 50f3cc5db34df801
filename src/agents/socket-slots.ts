import { createConcurrencyLimit } from "../auth/concurrency.ts";
import { AppError } from "../errors.ts";

/** One socket's share of the limits on sockets. */
export interface SocketSlot {
  /** The agent has said who it is: the limits on unidentified agents no longer count it. */
  identified(): void;
  /** The socket is closed. May be called twice. */
  release(): void;
}

export interface SocketSlots {
  /** Takes a slot for a socket from this address. Throws an `AppError`: agents_full, address_busy. */
  take(address: string | undefined): SocketSlot;
}

/**
 * How many sockets may be open whose agent has not said who it is, from one address and in all. The time
 * limit of the hello ends them. A fleet that reconnects all at once needs some.
 */
const UNIDENTIFIED_ADDRESS_MAX = 1000;
const UNIDENTIFIED_MAX = 4000;

/** Limits the sockets of agents, all of them to `socketsMax`. */
export function createSocketSlots(socketsMax: number): SocketSlots {
  const unidentified = createConcurrencyLimit({
    addressMax: UNIDENTIFIED_ADDRESS_MAX,
    allMax: UNIDENTIFIED_MAX,
  });
  let sockets = 0;
  return {
    take(address) {
      if (sockets >= socketsMax) {
        throw new AppError("agents_full", {
          hint: "The limit of open agent connections is reached (--agents-max).",
        });
      }
      const identified = unidentified.enter(address);
      if (typeof identified !== "function") {
        throw new AppError("address_busy", {
          hint: "Too many agents are connected that have not sent their hello yet.",
        });
      }
      sockets++;
      let isTaken = true;
      return {
        identified,
        release() {
          identified();
          if (isTaken) sockets--;
          isTaken = false;
        },
      };
    },
  };
}
