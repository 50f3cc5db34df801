import type { AgentKey } from "../auth/agent-keys.ts";
import type { Model } from "../protocol/agent-v2.ts";
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
  /** Closes the socket now, whatever the agent is doing: its asks move on or fail as when it is lost. */
  end(reason: CloseReason): void;
  gone(): void;
}

/** What a session of either protocol needs. */
export interface SessionOptions {
  socket: AgentSocket;
  address: string;
  trusted: boolean;
  /** The key that let the agent in, where one did. */
  key?: AgentKey | undefined;
  clock: Clock;
  newId: () => string;
  helloWithinMs: number;
  join(profile: AgentProfile, transport: Transport): AgentLink | undefined;
}

/** Of what an agent says that it has, what its key lets it offer. */
export function allowedModels(models: readonly Model[], key: AgentKey | undefined): readonly Model[] {
  const allowed = key?.models;
  return allowed ? models.filter(({ id }) => allowed.includes(id)) : models;
}
