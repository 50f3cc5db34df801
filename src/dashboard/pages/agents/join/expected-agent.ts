import type { Agent } from "../../../api/types.ts";

/** The known properties of the agent that is expected to connect. */
export interface ExpectedAgent {
  /** The name of the agent's key; null if the agent has none, undefined if any key is accepted. */
  keyName: string | null | undefined;
  /** The ids of the agents that were connected before. */
  before: ReadonlySet<string>;
}

/** Returns the connected agents that match what is expected. */
export function arrivedAgents(agents: readonly Agent[], { keyName, before }: ExpectedAgent): Agent[] {
  return agents.filter(({ id, key }) => (keyName === undefined || key === keyName) && !before.has(id));
}
