import type { AgentFrame } from "../protocol/agent-v2.ts";

/** The way back to the server. */
export interface Replies {
  /** The largest frame that the server takes. */
  frameBytesMax: number;
  /** False, and nothing is sent, where the frame would be larger than that. */
  send(frame: AgentFrame): boolean;
  /** Resolves once the socket has room for more. */
  room(): Promise<void>;
}
