import type { AgentRow, ConnectionRow, WaitingRow } from "../protocol/node/lists.ts";

export interface NodeRows<Row> {
  nodes: readonly {
    /** The name of the node. */
    node: string;
    rows: readonly Row[];
    /** How many there are, if the node does not send all. */
    total: number;
  }[];
  /** The names of the nodes that did not send all of their rows in time. */
  missing: readonly string[];
}

/** The lists of the other nodes of a cluster, as `ClusterLists` gets them: each within a second. */
export interface NodeLists {
  /** The name of this node. */
  readonly name: string;
  agents(): Promise<NodeRows<AgentRow>>;
  connections(): Promise<NodeRows<ConnectionRow>>;
  /** With `user`, those of the user. */
  waiting(user?: string): Promise<NodeRows<WaitingRow>>;
}
