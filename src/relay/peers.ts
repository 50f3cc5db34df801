import type { AppError } from "../errors.ts";
import type { Principal } from "../principal.ts";
import type { V1Request } from "../protocol/agent-v1.ts";
import type { Endpoint } from "../protocol/agent-v2.ts";
import type { Agent } from "./agent.ts";
import type { OfferedModel } from "./offers/offered-model.ts";
import type { AskOrigin } from "./record.ts";
import type { Priority } from "./routing/priority.ts";
import type { AgentProfile, Answer, Delta, ModelRequest, Transport, Work } from "./types.ts";

/** A waiting ask, as far as another node must know it to say whether one of its agents could serve it. */
export interface Ticket {
  /** Not guessable, and of one wait: an ask that waits again, or for something else, gets another ticket. */
  id: string;
  principal: Principal;
  priority: Priority;
  /** How long ago the ask arrived when the ticket is sent. Nodes share no clock. */
  waitedMs: number;
  /** The id of the only agent that may get it: of the ask, or for a while of the agent that has most of it cached. */
  pin?: string | undefined;
  /** The id of the agent to prefer. */
  prefer?: string | undefined;
  /** The same as in `AskRequest`. */
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
   * An ask waits here. Until `forget`, every node that could serve it, or that can later, is to know the ticket: when
   * one has a slot for it, `NodeRelay.offered` is called.
   */
  seek(ticket: Ticket): void;
  /**
   * It no longer waits. `isTaken`: it has a slot, so its user has had a turn on every node. Called once for each ticket.
   */
  forget(ticketId: string, isTaken: boolean): void;
  /**
   * Milliseconds for which it is worth waiting for an agent of another node: Infinity when one is connected that could
   * serve it, what is left of `reconnectGraceMs` when one has left, or its node was lost; otherwise 0 or less.
   */
  hopeMs(ticket: Ticket): number;
  /** Whether an agent of another node could do this work, busy or not. */
  canDo(work: Work): boolean;
  /** Whether an agent of another node offers the model; with `isV1`, a v1 agent. */
  offersModel(model: string, isV1?: boolean): boolean;
  /** The models that the agents of other nodes with a tag of each list offer, in any order; one may come repeatedly. */
  models(tags: readonly (readonly string[])[]): Iterable<OfferedModel>;
  /** Whether an agent with this id is connected to another node. */
  isConnected(agentId: string): boolean;
  /**
   * An agent of this node has come, offers something else, or has taken or freed a slot; without `isHere`, it has left.
   * Called often.
   */
  agentChanged?(agent: Agent, isHere: boolean): void;
}

/** The agent of a lent slot. */
export interface HeldAgent {
  /** Its preference is undefined unless it has tags. */
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
  /** No agent was sent the ask, so the try does not count. */
  isUnsent?: boolean | undefined;
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

/** The part of the relay that other nodes reach. Every call is harmless at any time and with any id. */
export interface NodeRelay {
  /* For the asks of other nodes, which wait for the agents of this one. */

  /** An ask of the node waits: it takes its turn among the asks that wait here. */
  seek(ticket: Ticket, node: TicketNode): void;
  /** It no longer waits. `isTaken`: it has a slot, so its user has had a turn. */
  forget(ticketId: string, isTaken: boolean): void;
  /**
   * The node takes the slot that is held for it, for the ask of the ticket or for another one. If it is held no longer,
   * `fail` of the node is called.
   */
  run(
    node: TicketNode,
    slotId: string,
    request: V1Request | ModelRequest,
    model: string,
    origin: AskOrigin,
  ): void;
  /** The node returns the slot. What runs in it is cancelled if the agent can do that. */
  give(slotId: string): void;

  /* For the asks of this node, which wait for the agents of others. */

  /**
   * The node with this id holds a slot for an ask of this one. The transport is called with `ask` if the slot is taken,
   * which is to be sent as `run`, and with `cancel` if it is returned, then or later, which is to be sent as `give`.
   * Both may happen before this returns.
   */
  offered(
    ticketId: string,
    slotId: string,
    from: { nodeId: string; held: HeldAgent; transport: Transport },
  ): void;
  /** Returns the agent of a slot of another node while an ask of this one is in it, for the calls below. */
  lentAgent(slotId: string): Agent | undefined;
  accept(agent: Agent, slotId: string): void;
  alive(agent: Agent, slotId: string): void;
  delta(agent: Agent, slotId: string, delta: Delta): void;
  done(agent: Agent, slotId: string, answer: Answer): void;
  lentFailed(agent: Agent, slotId: string, error: AppError, how: FailedTry): void;
  /** The tickets of all asks that wait, for a node that has just joined. */
  waitingTickets(): Ticket[];

  /* For both. */

  /** The node is lost, has left, or begins anew. What was between it and this one is void. */
  nodeLost(nodeId: string): void;
  /** The agents of other nodes, or what they offer, have changed. */
  peersChanged(): void;
  /** A node sent something that nobody asked for. */
  ignored(): void;
}
