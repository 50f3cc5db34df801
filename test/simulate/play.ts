import type { Relay } from "../../src/relay/relay.ts";
import type { Random } from "../support/random.ts";
import type { VirtualClock } from "./clock.ts";
import type { Pool } from "./pool.ts";
import type { Tally } from "./tally.ts";

/** The things that the parts of one simulation share. */
export interface Play {
  readonly pool: Pool;
  readonly relay: Relay;
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly tally: Tally;
}
