import type { Ask } from "../ask.ts";
import type { RelayOptions } from "../options.ts";
import type { Ticket } from "../peers.ts";
import type { Need } from "../routing/need.ts";
import { ticketOf } from "./ticket.ts";

/**
 * The asks of this node that other nodes may serve: all that wait, but those that wait for a better agent of this node.
 * Each wait has a ticket of its own, so that what arrives late about an earlier one is about nothing.
 */
export class SoughtAsks {
  readonly #asks = new Map<string, { ask: Ask; need: Need }>();

  constructor(private readonly options: Pick<RelayOptions, "peers" | "newId" | "clock">) {}

  /** The ask waits from now on, for the agents of this need. */
  begin(ask: Ask, need: Need): void {
    const { peers, newId } = this.options;
    if (!peers || ask.isTicket) return;
    this.end(ask, false);
    if (need.requirement.isPreferred && need.places.size > 0) return;
    ask.ticketId = newId();
    this.#asks.set(ask.ticketId, { ask, need });
    peers.seek(this.#ticketOf(ask.ticketId, ask, need));
  }

  /** The ask waits no more. Harmless if it did not. `isTaken`: it has a slot. */
  end(ask: Ask, isTaken: boolean): void {
    const { ticketId } = ask;
    if (ticketId === undefined) return;
    ask.ticketId = undefined;
    this.#asks.delete(ticketId);
    this.options.peers?.forget(ticketId, isTaken);
  }

  /** Returns the ask that waits with this ticket. */
  find(ticketId: string): Ask | undefined {
    return this.#asks.get(ticketId)?.ask;
  }

  tickets(): Ticket[] {
    return Array.from(this.#asks, ([id, { ask, need }]) => this.#ticketOf(id, ask, need));
  }

  #ticketOf(id: string, ask: Ask, need: Need): Ticket {
    return ticketOf(ask, need.requirement, id, this.options.clock.now());
  }
}
