import type { ServerWebSocket, WebSocketHandler } from "bun";
import type { AgentConnection } from "../agents/connection.ts";
import type { LiveFeed, LiveSocketData } from "../http/live/feed.ts";

/** The data of every socket of the server. `protocol` tells the kinds apart. */
export type SocketData = AgentConnection | LiveSocketData;

/**
 * Returns the one handler that the runtime accepts. It passes each event on to the agents or to the live
 * views.
 */
export function splitSockets(
  agents: WebSocketHandler<AgentConnection>,
  live: LiveFeed["websocket"],
): WebSocketHandler<SocketData> {
  const handlerOf = (ws: ServerWebSocket<SocketData>) =>
    (ws.data.protocol === "live" ? live : agents) as WebSocketHandler<SocketData>;
  return {
    ...(agents as WebSocketHandler<SocketData>),
    open: (ws) => handlerOf(ws).open?.(ws),
    message: (ws, message) => handlerOf(ws).message?.(ws, message),
    drain: (ws) => handlerOf(ws).drain?.(ws),
    close: (ws, code, reason) => handlerOf(ws).close?.(ws, code, reason),
  };
}
