import { createOccupancy } from "../auth/concurrency.ts";
import { AppError } from "../errors.ts";

/** The place of one socket. */
export interface Room {
  /** Its agent has said who it is. */
  settled(): void;
  /** It is closed. */
  left(): void;
}

export interface Rooms {
  /** Throws an `AppError`: agents_full, address_busy. */
  enter(address: string | undefined): Room;
}

/**
 * Sockets whose agent has not yet said who it is, of one address and in all. The time limit of the hello ends them; a
 * fleet that comes back all at once needs some.
 */
const NEW_ADDRESS_MAX = 1000;
const NEW_MAX = 4000;

/** Bounds the sockets of agents: all of them by `socketsMax`. */
export function createRooms(socketsMax: number): Rooms {
  const newcomers = createOccupancy({ addressMax: NEW_ADDRESS_MAX, allMax: NEW_MAX });
  let sockets = 0;
  return {
    enter(address) {
      if (sockets >= socketsMax)
        throw new AppError("agents_full", { hint: "So many sockets of agents are open: --agents-max." });
      const settled = newcomers.enter(address);
      if (typeof settled !== "function")
        throw new AppError("address_busy", { hint: "Too many agents have not said yet who they are." });
      sockets++;
      let isOpen = true;
      return {
        settled,
        left() {
          settled();
          if (isOpen) sockets--;
          isOpen = false;
        },
      };
    },
  };
}
