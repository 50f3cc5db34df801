import type { AppError } from "../errors.ts";
import type { Principal } from "../principal.ts";
import type { Endpoint } from "../protocol/agent-v2.ts";
import type { Priority } from "./routing/priority.ts";
import type { AgentProfile, Answer, Delta, Work } from "./types.ts";

/** A waiting ask, as far as another node must know it to say whether one of its agents could serve it. */
export interface Ticket {
  /** The ask's id: the same on every node, and not guessable. */
  id: string;
  principal: Principal;
  priority: Priority;
  /** How long the ask has waited when the ticket is sent. Nodes share no clock. */
  waitedMs: number;
  /** The same as in `AskRequest`. */
  pin?: string | undefined;
  prefer?: string | undefined;
  tags?: readonly (readonly string[])[] | undefined;
  /** The same as in `Work`, but without content: no body leaves a node before it has a slot. */
  model?: string | undefined;
  models?: readonly string[] | undefined;
  /** Whether a v1 agent could serve it. */
  isForV1: boolean;
  /** In order of preference. */
  requests: readonly { endpoint: Endpoint; stream: boolean }[];
  /** The ids of the agents whose tries failed, and whether they may get the ask again. */
  tried: readonly { agentId: string; isRepeatable: boolean }[];
  /** Whether the last try was lost, not refused. */
  isRepeatable: boolean;
}

/** The other nodes, as the core sees them. Undefined in the options of a single server. */
export interface Peers {
  /**
   * An ask waits here, and has not waited before or waits for something else than before: when another node has a slot
   * for it, that node calls `Relay.offered`.
   */
  seek(ticket: Ticket): void;
  /** It no longer waits. `isTaken`: it has a slot, so its user has had a turn. */
  forget(ticketId: string, isTaken: boolean): void;
  /**
   * Milliseconds until an agent of another node could serve it; Infinity when one is connected, 0 or less when there
   * is no point in waiting.
   */
  hopeMs(ticket: Ticket): number;
  /** Whether an agent of another node could do this work, busy or not. */
  canDo(work: Work): boolean;
  /** Whether an agent of another node offers the model; with `isV1`, a v1 agent. */
  offersModel(model: string, isV1?: boolean): boolean;
  /** Whether an agent with this id is connected to another node. */
  isConnected(agentId: string): boolean;
}

/** The agent of a lent slot. */
export interface HeldAgent {
  profile: Omit<AgentProfile, "slots" | "models" | "endpoints">;
  model: string;
  /** The endpoint that the agent will be sent the request for; undefined for v1. */
  endpoint: Endpoint | undefined;
}

/** Whether and where an ask whose try failed may be tried again. */
export interface FailedTry {
  /** Another agent may do it. */
  isRetryable: boolean;
  /** It was lost, not refused: the same agent may get it again. */
  isRepeatable: boolean;
}

/**
 * The node that a ticket belongs to, as the home of an agent sees it. Every call is harmless once that node has given
 * up the slot.
 */
export interface TicketNode {
  readonly id: string;
  /** A slot is held for one of the node's asks, which it takes with `run` or returns with `give`. */
  offer(ticketId: string, slotId: string, held: HeldAgent): void;
  accept(slotId: string): void;
  /** The upstream works on it, though it has sent nothing of the answer. */
  alive(slotId: string): void;
  delta(slotId: string, delta: Delta): void;
  done(slotId: string, answer: Answer): void;
  fail(slotId: string, error: AppError, how: FailedTry): void;
}
