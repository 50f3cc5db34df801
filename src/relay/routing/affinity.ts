import { type Principal, userIdOf } from "../../principal.ts";

/** The keys of the parts of a request that an agent may have cached. */
export interface AffinityKeys {
  /** Texts that stand for a session or for the first messages of the request, the longest part first. */
  known: readonly string[];
  /** The texts to be remembered for the agent that answers. */
  kept: readonly string[];
}

/** The agents that answered lately, by user, model and key. */
export class AffinityBook {
  readonly #agents = new Map<string, string>();

  /** Returns the id of the agent that has the most of the request; undefined if none is known. */
  find(principal: Principal, model: string, { known }: AffinityKeys): string | undefined {
    for (const key of known) {
      const agent = this.#agents.get(entryOf(principal, model, key));
      if (agent !== undefined) return agent;
    }
    return undefined;
  }

  /** Notes that the agent has answered the request. */
  note(principal: Principal, model: string, { kept }: AffinityKeys, agentId: string): void {
    for (const key of kept) this.#agents.set(entryOf(principal, model, key), agentId);
  }
}

const entryOf = (principal: Principal, model: string, key: string) =>
  JSON.stringify([userIdOf(principal), model, key]);
