import type { Server, WebSocketHandler } from "bun";
import { AppError } from "../errors.ts";
import type { Log } from "../log.ts";
import { CLOSE } from "../protocol/close.ts";
import { REFERENCE_MESSAGE } from "../protocol/reference.ts";
import type { Clock } from "../relay/ports.ts";
import type { Relay } from "../relay/relay.ts";
import { type AgentSession, type AgentSocket, openReferenceAgent } from "./reference-agent.ts";
import { admit, plainAddress, type RegistrationRules } from "./upgrade.ts";

export interface SocketData {
  address: string;
  trusted: boolean;
  session: AgentSession | undefined;
}

export interface AgentSocketsOptions {
  relay: Relay;
  rules: RegistrationRules;
  clock: Clock;
  newId: () => string;
  log: Log;
  helloWithinMs: number;
  frameBytesMax: number;
}

export interface AgentSockets {
  /** For `Bun.serve`. */
  websocket: WebSocketHandler<SocketData>;
  /** Upgrades a request to register, or throws an `AppError` that says why not. */
  register(request: Request, server: Server<SocketData>, pathKey: string | undefined): void;
  /** Tells all agents that the server is going away. */
  announceDrain(server: Server<SocketData>): void;
}

/** Every agent's socket hears what is published here. */
const TOPIC_ALL = "agents";

/** What may wait in one agent's socket buffer, beside the frame that is being sent. */
const BUFFER_BYTES_MAX = 1024 * 1024;

export function createAgentSockets(options: AgentSocketsOptions): AgentSockets {
  const { rules, log, frameBytesMax, newId } = options;
  return {
    register(request, server, pathKey) {
      const address = plainAddress(server.requestIP(request)?.address);
      const { headers } = request;
      try {
        const { trusted } = admit({ headers, address, pathKey }, rules);
        refuseSubprotocols(headers);
        const data: SocketData = { address: address ?? "", trusted, session: undefined };
        if (server.upgrade(request, { data })) return;
      } catch (error) {
        if (error instanceof AppError)
          log.warn("agent_refused", { address, reason: error.code, hint: error.hint });
        throw error;
      }
      throw new AppError("upgrade_required", { hint: "Agents register here by a WebSocket upgrade." });
    },
    announceDrain(server) {
      server.publish(TOPIC_ALL, JSON.stringify({ id: newId(), message: REFERENCE_MESSAGE.drain, data: "" }));
    },
    websocket: {
      data: {} as SocketData,
      // Busy agents answer no ping of any kind, so the runtime's own time-out would cut them off. The relay
      // watches the idle ones, and an ask's time limit the busy ones.
      idleTimeout: 0,
      sendPings: false,
      perMessageDeflate: false,
      maxPayloadLength: frameBytesMax,
      backpressureLimit: BUFFER_BYTES_MAX,
      closeOnBackpressureLimit: true,
      open(ws) {
        ws.subscribe(TOPIC_ALL);
        ws.data.session = openReferenceAgent(sessionOptions(options, ws.data, socketOf(ws)));
      },
      message(ws, message) {
        ws.data.session?.frame(typeof message === "string" ? message : message.toString());
      },
      close(ws, code) {
        log.debug("agent_socket_closed", { address: ws.data.address, code });
        ws.data.session?.gone();
      },
    },
  };
}

function sessionOptions(options: AgentSocketsOptions, data: SocketData, socket: AgentSocket) {
  const { relay, clock, newId, helloWithinMs } = options;
  const { address, trusted } = data;
  return {
    socket,
    address,
    trusted,
    clock,
    newId,
    helloWithinMs,
    join: relay.join.bind(relay),
  };
}

function socketOf(ws: Bun.ServerWebSocket<SocketData>): AgentSocket {
  return {
    sendText: (text) => ws.sendText(text) !== 0,
    close: (reason) => ws.close(CLOSE[reason].code, CLOSE[reason].reason),
  };
}

/** Bun answers any offered subprotocol with that very name, so unknown ones must be refused here. */
function refuseSubprotocols(headers: Headers): void {
  if (!headers.has("sec-websocket-protocol")) return;
  throw new AppError("subprotocol_unknown", {
    hint: "This version of the server speaks none: offer no subprotocol.",
  });
}
