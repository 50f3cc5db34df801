import type { LiveNode } from "../../api/types.ts";

/** A node of the cluster; `node` is undefined if it does not tell its numbers. */
export interface NodeRow {
  key: string;
  name: string;
  node: LiveNode | undefined;
  label: "Ready" | "Not ready" | "Draining" | "Not answering";
  tone: "ok" | "warn" | "bad";
  /** Why it is not ready, or not wholly. */
  reason: string | null;
}

interface Nodes {
  nodes?: readonly LiveNode[] | undefined;
  missing_nodes?: readonly string[] | undefined;
}

/** Returns the nodes of the cluster, those that do not answer last. A server alone has no rows. */
export function nodeRows({ nodes = [], missing_nodes: missing = [] }: Nodes): NodeRow[] {
  if (nodes.length + missing.length < 2) return [];
  const rows: NodeRow[] = nodes.map((node) => ({ key: node.id, name: node.name, node, ...stateOf(node) }));
  const missingRows = missing.map(
    (name): NodeRow => ({
      ...{ key: `missing ${name}`, name, node: undefined },
      ...{ label: "Not answering", tone: "bad", reason: "Its numbers are missing on this page." },
    }),
  );
  return [...rows, ...missingRows];
}

function stateOf({ draining, ready }: LiveNode): Pick<NodeRow, "label" | "tone" | "reason"> {
  if (draining) return { label: "Draining", tone: "warn", reason: "It is about to stop." };
  if (ready.status === "ready") return readyStateOf(ready.degraded);
  return { label: "Not ready", tone: "warn", reason: ready.reasons.join(", ") };
}

/** A sentence for each part that may fail while a node takes requests. */
const DEGRADED: Record<string, string> = {
  store: "The database does not answer it.",
  nats: "It has lost the way to the other nodes.",
};

function readyStateOf(
  degraded: LiveNode["ready"]["degraded"] = [],
): Pick<NodeRow, "label" | "tone" | "reason"> {
  if (degraded.length === 0) return { label: "Ready", tone: "ok", reason: null };
  return { label: "Ready", tone: "warn", reason: degraded.map((part) => DEGRADED[part] ?? "").join(" ") };
}
