/** A command of the bench to its process of agents, sent by the runtime's messages between processes. */
export type AgentsCommand = { number: number } & (
  | {
      do: "connect";
      protocol: "v1" | "v2";
      /**
       * `ws://127.0.0.1:<port>`; several are used in turn, as each address has a range of ports of its own.
       */
      addresses: readonly string[];
      count: number;
      /** The slots of each v2 agent. */
      slots: number;
    }
  /** Closes the connection of every agent. */
  | { do: "close" }
  /** Names the processes to kill and the folder to remove if the bench ends without doing so. */
  | { do: "guard"; pids: readonly number[]; folder: string }
);

export interface AgentsReply {
  number: number;
  /** Undefined if the command was carried out. */
  error?: string;
}
