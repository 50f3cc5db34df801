import type { AddedPairing } from "../../../api/types.ts";
import type { ServerAddress } from "../join/server-address.ts";

/** A code that was made here. */
export interface MadePairing {
  pairing: AddedPairing;
  server: ServerAddress;
  /** When it expires, as a time of `performance.now()`. */
  endMs: number;
}
