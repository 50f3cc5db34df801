import type { Agent } from "./agent.ts";

/**
 * Agents one after another; each stands in one order at most, and knows its neighbours. A `Set` would have the places of
 * all who went before to be walked past: with ten thousand agents that takes as long as a call of the system.
 */
export class AgentList {
  #first: Agent | undefined;
  #last: Agent | undefined;

  /** From the first to the last. The one that is looked at may leave meanwhile, and no other. */
  find(test: (agent: Agent) => boolean): Agent | undefined {
    for (let agent = this.#first; agent; ) {
      const { next } = agent;
      if (test(agent)) return agent;
      agent = next;
    }
    return undefined;
  }

  /** Takes the agent out of the order that it stands in, and puts it at the end of `list` if there is one. */
  static move(agent: Agent, list: AgentList | undefined): void {
    if (agent.list) agent.list.#remove(agent);
    agent.list = list;
    if (list) list.#add(agent);
  }

  #add(agent: Agent): void {
    agent.previous = this.#last;
    if (this.#last) this.#last.next = agent;
    else this.#first = agent;
    this.#last = agent;
  }

  #remove(agent: Agent): void {
    const { previous, next } = agent;
    if (previous) previous.next = next;
    else this.#first = next;
    if (next) next.previous = previous;
    else this.#last = previous;
    agent.previous = undefined;
    agent.next = undefined;
  }
}
