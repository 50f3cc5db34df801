/** What the bench tells its process of agents, by the runtime's own messages between processes. */
export type AgentsOrder = { order: number } & (
  | {
      do: "connect";
      protocol: "v1" | "v2";
      /** `ws://127.0.0.1:<port>`; several are used in turn, as each address has its own range of ports. */
      addresses: readonly string[];
      count: number;
      /** The slots of each v2 agent. */
      slots: number;
    }
  /** Closes every agent's connection. */
  | { do: "close" }
  /** What to kill and to remove should the bench end without having done so. */
  | { do: "guard"; pids: readonly number[]; folder: string }
);

export interface AgentsReply {
  order: number;
  /** Undefined when the order was carried out. */
  error?: string;
}
