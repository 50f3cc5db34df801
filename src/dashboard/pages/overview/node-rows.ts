import type { LiveNode } from "../../api/types.ts";
import { text } from "../../texts/texts.ts";

/** A node of the cluster; `node` is undefined if it does not tell its numbers. */
export interface NodeRow {
  key: string;
  name: string;
  node: LiveNode | undefined;
  label: string;
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
      ...{ label: text("overview.nodes.missing"), tone: "bad", reason: text("overview.nodes.missingReason") },
    }),
  );
  return [...rows, ...missingRows];
}

type State = Pick<NodeRow, "label" | "tone" | "reason">;

function stateOf({ draining, ready }: LiveNode): State {
  if (draining)
    return {
      label: text("overview.nodes.draining"),
      tone: "warn",
      reason: text("overview.nodes.drainingReason"),
    };
  if (ready.status === "ready") return readyStateOf(ready.degraded);
  return { label: text("overview.notReady"), tone: "warn", reason: ready.reasons.join(", ") };
}

/** A sentence for each part that may fail while a node takes requests. */
const DEGRADED: Record<string, string> = {
  store: text("overview.nodes.store"),
  nats: text("overview.nodes.nats"),
};

function readyStateOf(degraded: LiveNode["ready"]["degraded"] = []): State {
  const label = text("overview.ready");
  if (degraded.length === 0) return { label, tone: "ok", reason: null };
  return { label, tone: "warn", reason: degraded.map((part) => DEGRADED[part] ?? "").join(" ") };
}
