import type { Agent } from "../agent.ts";
import { coalesce, type Soon } from "../coalesce.ts";
import type { OfferUpdate, Preference } from "../types.ts";

/** A change of an agent. Missing parts stay as they were. */
export interface AgentUpdate {
  /** Ends a pause, even if it is empty. */
  offer?: OfferUpdate | undefined;
  preference?: Preference | undefined;
}

/**
 * Applies what agents change. The first change of an agent in a turn of the event loop is applied at once; those that
 * follow in the same turn are applied together, at its end, or sooner if an ask may go to the agent. So an agent that
 * sends a thousand updates of a thousand models holds up nobody, and gets no ask that it no longer offers to do.
 */
export class AgentUpdates {
  /** The agents that have changed in this turn. */
  readonly #changed = new Set<Agent>();
  /** Holds what they have sent since. */
  readonly #later = new Map<Agent, AgentUpdate>();
  readonly #endSoon: () => void;

  /** `apply` returns whether anything has changed by it. */
  constructor(
    soon: Soon,
    private readonly apply: (agent: Agent, update: AgentUpdate) => boolean,
  ) {
    this.#endSoon = coalesce(soon, () => {
      this.flushAll();
      this.#changed.clear();
    });
  }

  note(agent: Agent, update: AgentUpdate): void {
    if (this.#changed.has(agent)) this.#later.set(agent, merge(this.#later.get(agent) ?? {}, update));
    else if (this.apply(agent, update)) {
      this.#changed.add(agent);
      this.#endSoon();
    }
  }

  /** Applies at once what has come of the agent. */
  flush(agent: Agent): void {
    const later = this.#later.get(agent);
    if (!later) return;
    this.#later.delete(agent);
    this.apply(agent, later);
  }

  /** Applies at once what has come of all agents. */
  flushAll(): void {
    for (const agent of this.#later.keys()) this.flush(agent);
  }
}

function merge(one: AgentUpdate, other: AgentUpdate): AgentUpdate {
  return {
    offer: one.offer && other.offer ? mergeOffers(one.offer, other.offer) : (other.offer ?? one.offer),
    preference: other.preference ?? one.preference,
  };
}

function mergeOffers(one: OfferUpdate, other: OfferUpdate): OfferUpdate {
  return {
    slots: other.slots ?? one.slots,
    models: other.models ?? one.models,
    endpoints: other.endpoints ?? one.endpoints,
  };
}
