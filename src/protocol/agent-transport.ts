import { z } from "zod";

/** The carriers of an agent's messages: a WebSocket, long-polling, or a link within the server's process. */
export const AGENT_TRANSPORTS = ["websocket", "long-polling", "in-process"] as const;
export const AgentTransport = z.enum(AGENT_TRANSPORTS);
export type AgentTransport = z.output<typeof AgentTransport>;
