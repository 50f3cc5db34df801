import type { AgentFrame, ServerFrame } from "./agent-v2.ts";
import type { Piece } from "./bytes/window.ts";

/** The agent's side of a link: a connection of v2 within one process, which passes frames as objects. */
export interface LinkedAgent {
  /**
   * Takes a frame of the server. The agent must read it after this call: the server sends it amid the change that
   * it tells.
   */
  receive(frame: ServerFrame): void;
  /** Takes bytes of the body of an ask. */
  receivePiece(piece: Piece): void;
  /** The server has closed the link, with a code of `CLOSE`. No frame follows. */
  closed(code: number, reason: string): void;
}

/** The server's side of a link. */
export interface ServerLink {
  /** Takes a frame of the agent. Returns false, and takes nothing, if the frame is larger than the limit. */
  send(frame: AgentFrame): boolean;
  /** Takes a copy of bytes of an answer. */
  sendPiece(piece: Piece): void;
  /** The agent has left. */
  close(): void;
}

/** Links an agent to the server in this process. Rejects with an `AppError` if the server does not take it. */
export type LinkAgent = (agent: LinkedAgent) => Promise<ServerLink>;
