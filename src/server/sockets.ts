import type { ServerWebSocket, WebSocketHandler } from "bun";
import type { AgentConnection } from "../agents/connection.ts";
import type { LiveFeed, LiveSocket, LiveSocketData } from "../http/live/feed.ts";

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
  return {
    ...(agents as WebSocketHandler<SocketData>),
    open(ws) {
      if (isLive(ws)) live.open(ws);
      else void agents.open?.(asAgent(ws));
    },
    message(ws, message) {
      if (isLive(ws)) live.message(ws);
      else void agents.message?.(asAgent(ws), message);
    },
    drain(ws) {
      if (!isLive(ws)) void agents.drain?.(asAgent(ws));
    },
    close(ws, code, reason) {
      if (isLive(ws)) live.close(ws);
      else void agents.close?.(asAgent(ws), code, reason);
    },
  };
}

type Socket = ServerWebSocket<SocketData>;

function isLive(ws: Socket): ws is LiveSocket & Socket {
  return ws.data.protocol === "live";
}

const asAgent = (ws: Socket) => ws as ServerWebSocket<AgentConnection>;
