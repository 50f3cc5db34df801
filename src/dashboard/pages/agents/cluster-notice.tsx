import { Notice } from "../../components/card.tsx";
import type { Agents } from "./use-agents.ts";

/** Says which agents of a cluster the list lacks, and why. */
export function ClusterNotice({ agents: { isNatsAway, missingNodes } }: { agents: Agents }) {
  if (isNatsAway)
    return (
      <Notice tone="warn">
        This node cannot reach the other nodes, because NATS is away. The list has only the agents of this
        node, and may lack those of the others.
      </Notice>
    );
  if (missingNodes.length === 0) return null;
  return (
    <Notice tone="warn">
      The list lacks agents, because these nodes do not answer: {missingNodes.join(", ")}.
    </Notice>
  );
}
