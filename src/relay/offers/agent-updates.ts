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
 * follow in the same turn are applied together, at its end. So an agent that sends a thousand updates of a thousand
 * models holds up nobody.
 */
export class AgentUpdates {
  /** The agents that have changed in this turn, with what has come since. */
  readonly #later = new Map<Agent, AgentUpdate>();
  readonly #endSoon: () => void;

  /** `apply` returns whether anything has changed by it. */
  constructor(
    soon: Soon,
    private readonly apply: (agent: Agent, update: AgentUpdate) => boolean,
  ) {
    this.#endSoon = coalesce(soon, () => this.#endTurn());
  }

  note(agent: Agent, update: AgentUpdate): void {
    const later = this.#later.get(agent);
    if (later) this.#later.set(agent, merge(later, update));
    else if (this.apply(agent, update)) {
      this.#later.set(agent, {});
      this.#endSoon();
    }
  }

  /** Applies at once what has come of the agent, as what follows replaces a part of it. */
  flush(agent: Agent): void {
    const later = this.#later.get(agent);
    if (!later) return;
    this.#later.set(agent, {});
    this.apply(agent, later);
  }

  #endTurn(): void {
    const agents = [...this.#later.keys()];
    for (const agent of agents) this.flush(agent);
    this.#later.clear();
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
