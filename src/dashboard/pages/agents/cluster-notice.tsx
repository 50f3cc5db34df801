import { Notice } from "../../components/card.tsx";
import { text } from "../../texts/texts.ts";
import type { Agents } from "./use-agents.ts";

/** Says which agents of a cluster the list lacks, and why. */
export function ClusterNotice({ agents: { isNatsAway, missingNodes } }: { agents: Agents }) {
  if (isNatsAway) return <Notice tone="warn">{text("agents.natsAway")}</Notice>;
  if (missingNodes.length === 0) return null;
  return <Notice tone="warn">{text("agents.missingNodes", { nodes: missingNodes.join(", ") })}</Notice>;
}
