import type { Agent } from "../../../api/types.ts";

/** What is known of the agent that is to come. */
export interface ExpectedAgent {
  /** The name of its key; null for one that shows none, undefined where any may do. */
  keyName: string | null | undefined;
  /** The ids of those that were here before. */
  before: ReadonlySet<string>;
}

/** The agents that came as they were to. */
export function arrivedAgents(agents: readonly Agent[], { keyName, before }: ExpectedAgent): Agent[] {
  return agents.filter(({ id, key }) => (keyName === undefined || key === keyName) && !before.has(id));
}
