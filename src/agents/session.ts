import type { CloseReason } from "../protocol/close.ts";
import type { AgentProfile } from "../relay/agent.ts";
import type { AgentLink, Clock, Transport } from "../relay/ports.ts";

/** The write side of the socket under an agent. */
export interface AgentSocket {
  /** False when the frame was dropped. */
  sendText(text: string): boolean;
  close(reason: CloseReason): void;
}

/** What the socket handler tells an agent's session. */
export interface AgentSession {
  frame(text: string): void;
  gone(): void;
}

/** What a session of either protocol needs. */
export interface SessionOptions {
  socket: AgentSocket;
  address: string;
  trusted: boolean;
  clock: Clock;
  newId: () => string;
  helloWithinMs: number;
  join(profile: AgentProfile, transport: Transport): AgentLink | undefined;
}
