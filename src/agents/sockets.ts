import type { Server, WebSocketHandler } from "bun";
import type { AgentKey, AgentKeys } from "../auth/agent-keys.ts";
import { AppError } from "../errors.ts";
import type { Log } from "../log/log.ts";
import { V1_MESSAGE } from "../protocol/agent-v1.ts";
import { AGENT_SUBPROTOCOL } from "../protocol/agent-v2.ts";
import { CLOSE, type CloseReason } from "../protocol/close.ts";
import type { Clock } from "../relay/ports.ts";
import type { Relay } from "../relay/relay.ts";
import { admit, type RegistrationRules, shownKey } from "./admission.ts";
import { createKeyedSockets } from "./revocation.ts";
import type { AgentSession, AgentSocket } from "./session.ts";
import { createRooms, type Room } from "./socket-slots.ts";
import { openV1Agent } from "./v1.ts";
import { type AgentOptions, openAgent } from "./v2.ts";

export interface SocketData {
  protocol: "v1" | "v2";
  address: string;
  trusted: boolean;
  /** What let the agent in, where that was a key. */
  key: AgentKey | undefined;
  session: AgentSession | undefined;
  room: Room;
}

export interface AgentSocketsOptions {
  relay: Relay;
  rules: RegistrationRules;
  keys: Pick<AgentKeys, "find" | "revokedAmong">;
  clock: Clock;
  newId: () => string;
  log: Log;
  /** Where a request comes from, and whether by way of a proxy. */
  addressOf(
    request: Request,
    server: Server<SocketData>,
  ): { address: string | undefined; isForwarded: boolean };
  socketsMax: number;
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
  register(request: Request, server: Server<SocketData>, pathKey: string | undefined): Promise<void>;
  /** Closes every socket that was let in by the key, and lets no more in. */
  endKey(keyId: string): void;
  /** Tells all agents that the server is going away. */
  announceDrain(server: { publish(topic: string, text: string): unknown }): void;
  /** To be called when all sockets are closed. */
  stop(): void;
}

/** Every agent's socket hears what is published here. */
const TOPIC_ALL = "agents";
const TOPIC_V2 = "agents/v2";

/** When agents are to come back after a drain: a server that is restarted needs about so long. */
const RECONNECT_MS = 2_000;

/** Behind the one ask that may wait in an agent's socket buffer, cancels and pings may wait for so many bytes. */
const CONTROL_BYTES_MAX = 1024 * 1024;

export function createAgentSockets(options: AgentSocketsOptions): AgentSockets {
  const { rules, keys, clock, log, frameBytesMax, newId, socketsMax } = options;
  const rooms = createRooms(socketsMax);
  const keyed = createKeyedSockets({ keys, clock, log });
  const findKey = async (shown: string | undefined) =>
    shown === undefined ? undefined : ((await keys.find(shown)) ?? "unknown");
  return {
    async register(request, server, pathKey) {
      const { address, isForwarded } = options.addressOf(request, server);
      const { headers } = request;
      try {
        const found = await findKey(shownKey(headers, pathKey));
        const { trusted, key } = admit({ headers, address, isForwarded, key: found }, rules);
        const protocol = protocolOf(headers);
        const room = rooms.enter(address);
        const known = { protocol, address: address ?? "", trusted, key };
        const data: SocketData = { ...known, session: undefined, room };
        const chosen = protocol === "v2" ? { headers: { "sec-websocket-protocol": AGENT_SUBPROTOCOL } } : {};
        if (server.upgrade(request, { data, ...chosen })) return;
        room.left();
      } catch (error) {
        if (error instanceof AppError)
          log.warn("agent_refused", { address, reason: error.code, hint: error.hint });
        throw error;
      }
      throw new AppError("upgrade_required", { hint: "Agents register here by a WebSocket upgrade." });
    },
    endKey: keyed.end,
    stop: keyed.stop,
    announceDrain(server) {
      // One frame that either protocol can read.
      const v1 = { id: newId(), message: V1_MESSAGE.drain, data: "" };
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
        const session = openSession(options, ws.data, new Socket(ws));
        ws.data.session = session;
        const keyId = ws.data.key?.id;
        if (keyId) keyed.add(keyId, session);
      },
      message(ws, message) {
        ws.data.session?.frame(typeof message === "string" ? message : message.toString());
      },
      drain(ws) {
        ws.data.session?.drained();
      },
      close(ws, code) {
        const { address, key, session, room } = ws.data;
        log.debug("agent_socket_closed", { address, code });
        if (session && key?.id) keyed.remove(key.id, session);
        session?.gone();
        room.left();
      },
    },
  };
}

function openSession(options: AgentSocketsOptions, data: SocketData, socket: AgentSocket): AgentSession {
  const { relay, clock, newId, helloWithinMs, version, frameBytesMax, resume, v1Model } = options;
  const { protocol, address, trusted, key } = data;
  const join: typeof relay.join = (profile, transport) => {
    data.room.settled();
    return relay.join(profile, transport);
  };
  const common = { socket, address, trusted, key, clock, newId, helloWithinMs, join };
  if (protocol === "v1") return openV1Agent({ ...common, model: v1Model });
  return openAgent({ ...common, version, frameBytesMax, resume });
}

class Socket implements AgentSocket {
  readonly #ws: Bun.ServerWebSocket<SocketData>;

  constructor(ws: Bun.ServerWebSocket<SocketData>) {
    this.#ws = ws;
  }

  sendText(text: string) {
    const bytes = this.#ws.sendText(text);
    if (bytes === 0) return "dropped";
    return bytes < 0 ? "congested" : "sent";
  }

  close(reason: CloseReason): void {
    this.#ws.close(CLOSE[reason].code, CLOSE[reason].reason);
  }
}

/** Bun answers any offered subprotocol with that very name, so unknown ones must be refused here. */
function protocolOf(headers: Headers): SocketData["protocol"] {
  const offered = headers.get("sec-websocket-protocol");
  if (offered === null) return "v1";
  if (offered.split(",").some((name) => name.trim() === AGENT_SUBPROTOCOL)) return "v2";
  throw new AppError("subprotocol_unknown", { hint: `This server speaks ${AGENT_SUBPROTOCOL}, and none.` });
}
