import type { Ticket, TicketNode } from "../peers.ts";
import { TicketAsk } from "./ticket-ask.ts";

/** How many tickets of one node wait here at most. A node has no more asks than that in its queue, or is at fault. */
const NODE_TICKETS_MAX = 100_000;

/** The asks of other nodes that wait for an agent of this one, or that have a slot of it. */
export class Tickets {
  readonly #waiting = new Map<string, TicketAsk>();
  readonly #inSlots = new Map<string, TicketAsk>();
  /** How many tickets of each node wait. */
  readonly #counts = new Map<string, number>();

  /** How many wait. */
  get size(): number {
    return this.#waiting.size;
  }

  /** How many slots are held for them or in use. */
  get slots(): number {
    return this.#inSlots.size;
  }

  /** Returns the ask of a ticket that has come; undefined if it is known, or if its node has too many. */
  add(ticket: Ticket, node: TicketNode, now: number): TicketAsk | undefined {
    const count = this.#counts.get(node.id) ?? 0;
    if (this.#waiting.has(ticket.id) || count >= NODE_TICKETS_MAX) return undefined;
    const ask = new TicketAsk(ticket, node, now, {
      sent: (sent, slotId) => {
        this.#leave(sent);
        this.#inSlots.set(slotId, sent);
      },
      ended: (ended) => this.#end(ended),
    });
    this.#waiting.set(ticket.id, ask);
    this.#counts.set(node.id, count + 1);
    return ask;
  }

  /** Returns the ask that waits with this ticket. */
  waitingWith(ticketId: string): TicketAsk | undefined {
    return this.#waiting.get(ticketId);
  }

  /** Returns the ask in the slot, unless its node has given the slot up. */
  inSlot(slotId: string): TicketAsk | undefined {
    return this.#inSlots.get(slotId);
  }

  /** Returns the asks that wait, or those of one node. */
  waiting(nodeId?: string): TicketAsk[] {
    return [...this.#waiting.values()].filter(({ node }) => nodeId === undefined || node.id === nodeId);
  }

  /** Returns the asks of the node that have a slot. */
  inSlotsOf(nodeId: string): TicketAsk[] {
    return [...this.#inSlots.values()].filter(({ node }) => node.id === nodeId);
  }

  #leave({ ticket, node }: TicketAsk): void {
    if (!this.#waiting.delete(ticket.id)) return;
    const count = (this.#counts.get(node.id) ?? 0) - 1;
    if (count > 0) this.#counts.set(node.id, count);
    else this.#counts.delete(node.id);
  }

  #end(ask: TicketAsk): void {
    this.#leave(ask);
    if (ask.slotId !== undefined) this.#inSlots.delete(ask.slotId);
  }
}
