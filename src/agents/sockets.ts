import type { Server, WebSocketHandler } from "bun";
import { AppError } from "../errors.ts";
import type { Log } from "../log.ts";
import { AGENT_SUBPROTOCOL } from "../protocol/agent.ts";
import { CLOSE } from "../protocol/close.ts";
import { REFERENCE_MESSAGE } from "../protocol/reference.ts";
import type { Clock } from "../relay/ports.ts";
import type { Relay } from "../relay/relay.ts";
import { type AgentOptions, openAgent } from "./agent.ts";
import { openReferenceAgent } from "./reference-agent.ts";
import type { AgentSession, AgentSocket } from "./session.ts";
import { admit, plainAddress, type RegistrationRules } from "./upgrade.ts";

export interface SocketData {
  protocol: "reference" | "v2";
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
  version: string;
  /** The model that agents of the reference's protocol offer. */
  v1Model: string;
  resume: AgentOptions["resume"];
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
const TOPIC_V2 = "agents/v2";

/** When agents are to come back after a drain: a server that is restarted needs about so long. */
const RECONNECT_MS = 2_000;

/** Behind the one ask that may wait in an agent's socket buffer, cancels and pings may wait for so many bytes. */
const CONTROL_BYTES_MAX = 1024 * 1024;

export function createAgentSockets(options: AgentSocketsOptions): AgentSockets {
  const { rules, log, frameBytesMax, newId } = options;
  return {
    register(request, server, pathKey) {
      const address = plainAddress(server.requestIP(request)?.address);
      const { headers } = request;
      try {
        const { trusted } = admit({ headers, address, pathKey }, rules);
        const protocol = protocolOf(headers);
        const data: SocketData = { protocol, address: address ?? "", trusted, session: undefined };
        const chosen = protocol === "v2" ? { headers: { "sec-websocket-protocol": AGENT_SUBPROTOCOL } } : {};
        if (server.upgrade(request, { data, ...chosen })) return;
      } catch (error) {
        if (error instanceof AppError)
          log.warn("agent_refused", { address, reason: error.code, hint: error.hint });
        throw error;
      }
      throw new AppError("upgrade_required", { hint: "Agents register here by a WebSocket upgrade." });
    },
    announceDrain(server) {
      // One frame that either protocol can read.
      const v1 = { id: newId(), message: REFERENCE_MESSAGE.drain, data: "" };
      server.publish(TOPIC_ALL, JSON.stringify({ ...v1, type: "drain", reconnect_ms: RECONNECT_MS }));
    },
    websocket: {
      data: {} as SocketData,
      // Busy agents answer no ping of any kind, so the runtime's own time-out would cut them off. The relay
      // watches the idle ones, and an ask's time limit the busy ones.
      idleTimeout: 0,
      sendPings: false,
      perMessageDeflate: false,
      maxPayloadLength: frameBytesMax,
      backpressureLimit: frameBytesMax + CONTROL_BYTES_MAX,
      closeOnBackpressureLimit: true,
      open(ws) {
        ws.subscribe(TOPIC_ALL);
        if (ws.data.protocol === "v2") ws.subscribe(TOPIC_V2);
        ws.data.session = openSession(options, ws.data, socketOf(ws));
      },
      message(ws, message) {
        ws.data.session?.frame(typeof message === "string" ? message : message.toString());
      },
      drain(ws) {
        ws.data.session?.drained();
      },
      close(ws, code) {
        log.debug("agent_socket_closed", { address: ws.data.address, code });
        ws.data.session?.gone();
      },
    },
  };
}

function openSession(options: AgentSocketsOptions, data: SocketData, socket: AgentSocket): AgentSession {
  const { relay, clock, newId, helloWithinMs, version, frameBytesMax, resume, v1Model } = options;
  const { protocol, address, trusted } = data;
  const common = { socket, address, trusted, clock, newId, helloWithinMs, join: relay.join.bind(relay) };
  if (protocol === "reference") return openReferenceAgent({ ...common, model: v1Model });
  return openAgent({ ...common, version, frameBytesMax, resume });
}

function socketOf(ws: Bun.ServerWebSocket<SocketData>): AgentSocket {
  return {
    sendText: (text) => {
      const bytes = ws.sendText(text);
      if (bytes === 0) return "dropped";
      return bytes < 0 ? "congested" : "sent";
    },
    close: (reason) => ws.close(CLOSE[reason].code, CLOSE[reason].reason),
  };
}

/** Bun answers any offered subprotocol with that very name, so unknown ones must be refused here. */
function protocolOf(headers: Headers): SocketData["protocol"] {
  const offered = headers.get("sec-websocket-protocol");
  if (offered === null) return "reference";
  if (offered.split(",").some((name) => name.trim() === AGENT_SUBPROTOCOL)) return "v2";
  throw new AppError("subprotocol_unknown", { hint: `This server speaks ${AGENT_SUBPROTOCOL}, and none.` });
}
