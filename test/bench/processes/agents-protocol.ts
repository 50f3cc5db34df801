/** How the bench's agents of one command are made. */
export interface AgentKind {
  protocol: "v1" | "v2";
  /** The slots of each v2 agent. Default: 1. */
  slots?: number;
  /** The models of v2 agents, of which each agent has one, in turn. Default: the one that callers ask for. */
  models?: readonly string[];
}

/** A command of the bench to its process of agents, sent by the runtime's messages between processes. */
export type AgentsCommand = { number: number } & (
  | ({
      do: "connect";
      /**
       * `ws://127.0.0.1:<port>`; several are used in turn, as each address has a range of ports of its own.
       */
      addresses: readonly string[];
      count: number;
      /** The name by which later commands find these agents. */
      group: string;
    } & AgentKind)
  /** Lets agents of a group send an `update` each, with a model more than before, one every millisecond. */
  | { do: "update"; group: string; count: number }
  /** Answers the oldest of the requests that wait for this command, one after the other. */
  | { do: "finish"; count: number }
  /** Closes the connections of a group's agents all at once. */
  | { do: "leave"; group: string; count: number }
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
