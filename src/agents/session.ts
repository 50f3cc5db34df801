import type { CloseReason } from "../protocol/close.ts";
import type { AgentProfile } from "../relay/agent.ts";
import type { AgentLink, Clock, Transport } from "../relay/ports.ts";

/** The write side of the socket under an agent. */
export interface AgentSocket {
  /** `congested`: it is on its way, but more had better wait until the socket has drained. */
  sendText(text: string): "sent" | "congested" | "dropped";
  close(reason: CloseReason): void;
}

/** What the socket handler tells an agent's session. */
export interface AgentSession {
  frame(text: string): void;
  /** A congested socket has drained. */
  drained(): void;
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
