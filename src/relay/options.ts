import type { Clock } from "../clock.ts";
import type { Soon } from "./coalesce.ts";
import type { Peers } from "./peers.ts";
import type { AskRecord } from "./record.ts";
import type { AgentIdentity, LeaveReason, RelayLimits } from "./types.ts";

export interface RelayOptions {
  clock: Clock;
  /** Returns a fresh id that cannot be guessed. */
  newId: () => string;
  /** Returns 0 to 1, for the jitter of pauses. */
  random: () => number;
  limits: RelayLimits;
  /** When the queue is looked at again after an agent has left or changed; at once if left out. */
  soon?: Soon;
  observe?: RelayObserver;
  /** The other nodes of the cluster; none if left out. */
  peers?: Peers;
}

export interface RelayObserver {
  joined(agent: AgentIdentity): void;
  left(agent: AgentIdentity, reason: LeaveReason): void;
  /** Called once for every ask that was taken, before its caller gets the outcome. */
  ended(record: AskRecord): void;
}
