/** All times are milliseconds since the run began. */

/** One sending of a request to a node, which the balancer may repeat at another. */
export interface Sending {
  node: string;
  at: number;
  /** `lost`: the connection broke before anything came. `refused`: status 503. */
  outcome: "lost" | "refused" | "answered";
}

/** A request of a caller, from its first sending to its end. */
export interface CallerEntry {
  ask: string;
  streamed: boolean;
  beganAt: number;
  /** Undefined if it had not ended when the run was over. */
  endedAt: number | undefined;
  sendings: Sending[];
  /** The last status; undefined if no response came. */
  status: number | undefined;
  /** The content, in the order in which it came. */
  text: string;
  /** How many ends of an answer came. */
  ends: number;
  /** An error in a stream, or the body of a response with an error. */
  error: string | undefined;
  /** The connection ended before the answer did. */
  isCut: boolean;
}

/** An agent began with an ask. */
export interface AgentEntry {
  ask: string;
  agent: string;
  node: string;
  at: number;
  /** It has sent `accept`, after which nobody else may begin with it. */
  isAccepted: boolean;
  /** Its connection was cut by a fault of agents before it had answered. */
  isDropped: boolean;
}

/** The kinds of faults, and what each may do to a stream that has begun. */
export const FAULTS = {
  agents: { breaksStreams: true },
  kill: { breaksStreams: true },
  hang: { breaksStreams: true },
  cut: { breaksStreams: true },
  delay: { breaksStreams: false },
  nats: { breaksStreams: false },
  database: { breaksStreams: false },
  upgrade: { breaksStreams: false },
} as const;
export type FaultKind = keyof typeof FAULTS;

export interface FaultEntry {
  kind: FaultKind;
  /** The nodes that are away or hang meanwhile. */
  nodes: string[];
  from: number;
  until: number;
}

/** Something that a node still has when it should have nothing. */
export interface Leftover {
  node: string;
  what: string;
  count: number;
}

export interface Logs {
  nodes: string[];
  callers: CallerEntry[];
  agents: AgentEntry[];
  faults: FaultEntry[];
  leftovers: Leftover[];
}

/** How many pieces an answer has. */
export const PIECES = 6;

/** Returns a piece of the answer to an ask. */
export const pieceOf = (ask: string, index: number): string => `${ask}.${index} `;

/** Returns the whole answer to an ask. */
export const answerOf = (ask: string): string =>
  Array.from({ length: PIECES }, (_, index) => pieceOf(ask, index)).join("");
