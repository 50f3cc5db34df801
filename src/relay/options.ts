import type { Agent } from "./agent.ts";
import type { LeaveReason } from "./hub.ts";
import type { Clock } from "./ports.ts";
import type { AskRecord } from "./record.ts";

export interface RelayLimits {
  /** Asks that wait, of all users and of one. */
  queueMax: number;
  queueUserMax: number;
  /** How long an ask waits for a slot at a time. */
  queueWaitMs: number;
  /** How long an ask waits for an agent that left to come back, when no other could serve it. */
  reconnectGraceMs: number;
  /** How long an agent may take until the first byte of its answer. */
  firstByteMs: number;
  /** How long an agent may take for an answer that is not streamed. */
  wholeAnswerMs: number;
  /** How long a streamed answer may pause. */
  betweenDeltasMs: number;
  pingEveryMs: number;
  pongWithinMs: number;
}

export interface RelayOptions {
  clock: Clock;
  /** A fresh id that cannot be guessed. */
  newId: () => string;
  limits: RelayLimits;
  /** Told of every agent that comes or goes. */
  observe?: {
    joined(agent: Agent): void;
    left(agent: Agent, reason: LeaveReason): void;
    /** Every ask that was taken, once, before its caller hears of its outcome. */
    ended(record: AskRecord): void;
  };
}
