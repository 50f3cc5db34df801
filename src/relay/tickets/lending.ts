import { AppError } from "../../errors.ts";
import type { V1Request } from "../../protocol/agent-v1.ts";
import { type Agent, lostError } from "../agent.ts";
import type { Retry } from "../asks/tries.ts";
import { Dispatch } from "../dispatch.ts";
import type { FailedTry, NodeRelay, Ticket, TicketNode } from "../peers.ts";
import type { AskOrigin } from "../record.ts";
import { mayHave, type Next, takeNextForLent } from "../routing/next.ts";
import type { Slot } from "../slot.ts";
import type { ModelRequest } from "../types.ts";
import { LentAgent, type LentSlot } from "./lent-agent.ts";
import { TicketAsk } from "./ticket-ask.ts";
import { Tickets } from "./tickets.ts";

/** How long a slot is held for another node. */
const HELD_MS = 2_000;

/** How many offers of slots had which outcome: the first three those of other nodes, the last those of this one. */
export interface OfferCounts {
  /** Used for the ask of the ticket. */
  run: number;
  /** Used for another ask, as that of the ticket waited no more. */
  substituted: number;
  /** Returned, as no ask needed it. */
  given: number;
  /** Not taken in time. */
  expired: number;
}

/**
 * Lends free slots to asks of other nodes, and uses slots that other nodes lend; see `Peers` and `NodeRelay`.
 *
 * - An ask first takes an agent of its own node, as the priorities of agents order those of one node only.
 *   If an agent of another node has the most of it cached, it waits for that one for `affinityWaitMs`.
 * - A fallback model is used when no node offers those before it.
 * - A ticket is placed by the same rules as an ask, with its tags, the first turn of an agent's owner, circuits and
 *   speeds. It counts for no queue limit here, and does not wait for better agents, as its own node did that.
 * - Circuits count all that happens at an agent, at its home.
 */
export abstract class Lending extends Dispatch implements NodeRelay {
  readonly #tickets = new Tickets();
  readonly #offers: OfferCounts = { run: 0, substituted: 0, given: 0, expired: 0 };
  #takesTickets = true;
  #framesIgnored = 0;

  /** The upstream of an ask works on it, though it has sent nothing of the answer. */
  alive(agent: Agent, slotId: string): void {
    const slot = agent.inUse.get(slotId);
    if (!slot) return;
    const now = this.options.clock.now();
    this.heard(agent, now);
    slot.alive(now);
    slot.ask?.progressed("alive", slotId);
  }

  /** An agent or a node sent a frame that nobody asked for. */
  ignored(): void {
    this.#framesIgnored++;
  }

  get framesIgnored(): number {
    return this.#framesIgnored;
  }

  /* For the asks of other nodes. */

  seek(ticket: Ticket, node: TicketNode): void {
    if (!this.#takesTickets) return;
    const ask = this.#tickets.add(ticket, node, this.now());
    if (ask) this.place(ask);
  }

  forget(ticketId: string, isTaken: boolean): void {
    const ask = this.#tickets.waitingWith(ticketId);
    if (!ask) return;
    if (isTaken) this.hub.needs.takeOut(ask);
    this.#drop(ask);
  }

  run(
    node: TicketNode,
    slotId: string,
    request: V1Request | ModelRequest,
    model: string,
    origin: AskOrigin,
  ): void {
    const ask = this.#tickets.inSlot(slotId);
    const agent = ask?.node.id === node.id && ask.place ? this.hub.agentWith(ask.place) : undefined;
    const slot = agent?.inUse.get(slotId);
    if (!ask?.isHeld || !agent || !slot) {
      const how = { isRetryable: true, isRepeatable: true, isUnsent: true };
      node.fail(slotId, lostError("its slot was given to another ask"), how);
      return;
    }
    const modelRequest = "endpoint" in request ? request : undefined;
    const isFit = slot.model === model && slot.request?.endpoint === modelRequest?.endpoint;
    ask.isHeld = false;
    slot.take(modelRequest);
    if (isFit) this.transmit(agent, slotId, slot, { request, origin }, this.now());
    else
      this.failSlot(
        agent,
        slotId,
        new AppError("internal", { detail: "a request of another kind" }),
        "nowhere",
      );
  }

  give(slotId: string): void {
    const ask = this.#tickets.inSlot(slotId);
    if (ask) this.#drop(ask);
  }

  /** Drops the tickets that wait, and takes no more. */
  protected refuseTickets(): void {
    this.#takesTickets = false;
    for (const ask of this.#tickets.waiting()) this.#drop(ask);
  }

  /** The ask's node needs it no more: frees its slot. */
  #drop(ask: TicketAsk): void {
    ask.give();
    this.withdraw(ask, new AppError("caller_gone"));
  }

  protected hold(agent: Agent, slotId: string, slot: Slot, now: number): void {
    this.open.addTicket();
    slot.hold(this.options.clock, HELD_MS, now);
    this.hub.occupy(agent, slotId, slot, now);
    this.circuits.sent(agent, slot);
    const profile = { ...agent.profile, preference: agent.preference };
    if (slot.ask instanceof TicketAsk)
      slot.ask.offer({ profile, model: slot.model, endpoint: slot.request?.endpoint });
  }

  protected expired(slotId: string): void {
    this.#offers.expired++;
    this.give(slotId);
  }

  /* For the asks of this node. */

  offered(ticketId: string, slotId: string, from: Omit<LentSlot, "slotId">): void {
    if (this.hub.lent.has(slotId)) return;
    const now = this.now();
    const ask = this.sought.find(ticketId);
    const agent = new LentAgent({ slotId, ...from }, ask?.request.tags, now);
    const next = this.#nextFor(agent, ticketId);
    if (next) {
      this.hub.lent.set(slotId, agent);
      this.send(next.ask, next.place, now);
      // The caller may have left when they learned of it.
      if (agent.inUse.size > 0 || !this.hub.lent.delete(slotId)) {
        this.#offers[next.ask === ask ? "run" : "substituted"]++;
        return;
      }
    }
    this.#offers.given++;
    from.transport.send({ kind: "cancel", slot: slotId });
  }

  /**
   * Takes the ask of the ticket out of the queue, or else the next in turn that fits: several nodes offer a slot to the
   * same ask at once, as they all have the tickets in the same order.
   */
  #nextFor(agent: LentAgent, ticketId: string): Next | undefined {
    const ask = this.sought.find(ticketId);
    const need = ask && this.hub.needs.ofAsk(ask);
    if (ask && need?.fits(agent) && mayHave(ask, agent)) {
      this.hub.needs.takeOut(ask);
      return { ask, place: need.placeFor(agent) };
    }
    return takeNextForLent(agent, this.hub.needs);
  }

  lentAgent(slotId: string): Agent | undefined {
    return this.hub.lent.get(slotId);
  }

  lentFailed(agent: Agent, slotId: string, error: AppError, how: FailedTry): void {
    this.failSlot(agent, slotId, error, retryOf(how));
  }

  protected loseLent(agent: Agent, errorOf: () => AppError): void {
    if (!this.hub.lent.delete(agent.lentSlotId ?? "")) return;
    this.orphan(this.hub.releaseAll(agent, this.now()), errorOf());
  }

  waitingTickets(): Ticket[] {
    return this.sought.tickets();
  }

  /* For both. */

  nodeLost(nodeId: string): void {
    // Those that wait come first; otherwise they would take the slots that the others free.
    for (const ask of this.#tickets.waiting(nodeId)) this.#drop(ask);
    for (const ask of this.#tickets.inSlotsOf(nodeId)) this.#drop(ask);
    const agents = [...this.hub.lent.values()].filter((agent) => agent.nodeId === nodeId);
    for (const { lentSlotId } of agents) this.hub.lent.delete(lentSlotId);
    for (const agent of agents)
      this.move(this.hub.releaseAll(agent, this.now()), lostError("the node of its agent was lost"));
  }

  peersChanged(): void {
    this.lookAgain(this.hub.needs.withWaiting());
  }

  /** The tickets that wait here, the slots in use across nodes, and the outcomes of offers. */
  lendingStats() {
    return {
      tickets: this.#tickets.size,
      slotsLent: this.#tickets.slots,
      slotsBorrowed: this.hub.lent.size,
      offers: { ...this.#offers },
    };
  }
}

function retryOf({ isRetryable, isRepeatable, isUnsent }: FailedTry): Retry {
  if (isUnsent) return "unsent";
  if (isRepeatable) return "anywhere";
  return isRetryable ? "elsewhere" : "nowhere";
}
