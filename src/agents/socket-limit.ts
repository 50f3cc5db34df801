import { createConcurrencyLimit } from "../auth/limits/concurrency.ts";
import { AppError } from "../errors.ts";

/** One socket's share of the limits on sockets. */
export interface SocketLease {
  /** The agent has said who it is: the limits on unidentified agents no longer count it. */
  identified(): void;
  /** The socket is closed. May be called twice. */
  end(): void;
}

/**
 * How many sockets may be open whose agent has not said who it is, from one address and in all. The time
 * limit of the hello ends them. A fleet that reconnects all at once needs some. Sockets that were opened with
 * a right key are counted apart, so that those without one cannot take their room.
 */
const UNIDENTIFIED = { addressMax: () => 1000, allMax: 4000 };

export type SocketLimit = ReturnType<typeof createSocketLimit>;

/** Limits the sockets of agents, all of them to `socketsMax`. */
export function createSocketLimit(socketsMax: number) {
  const keyed = createConcurrencyLimit(UNIDENTIFIED);
  const keyless = createConcurrencyLimit(UNIDENTIFIED);
  let sockets = 0;
  return {
    /** Lets in a socket from this address. Throws an `AppError`: agents_full, address_busy. */
    enter(address: string | undefined, hasKey: boolean): SocketLease {
      if (sockets >= socketsMax)
        throw new AppError("agents_full", {
          hint: "The limit of open agent connections is reached (--agents-max).",
        });
      const identified = (hasKey ? keyed : keyless).enter(address);
      if (typeof identified !== "function")
        throw new AppError("address_busy", {
          hint: "Too many agents are connected that have not sent their hello yet.",
        });
      sockets++;
      let isOpen = true;
      return {
        identified,
        end() {
          identified();
          if (isOpen) sockets--;
          isOpen = false;
        },
      };
    },
  };
}
