import type { Server, WebSocketHandler } from "bun";
import type { AgentKey, AgentKeys } from "../auth/agent-keys.ts";
import { AppError } from "../errors.ts";
import type { Log } from "../log/log.ts";
import type { LinkedAgent } from "../protocol/agent-link.ts";
import { NO_UPGRADE_HINT } from "../protocol/agent-polling.ts";
import { V1_MESSAGE } from "../protocol/agent-v1.ts";
import { AGENT_SUBPROTOCOL } from "../protocol/agent-v2.ts";
import type { RegistrationRules, RequestSource } from "./admission.ts";
import { type Arrivals, createArrivals } from "./arrivals.ts";
import type { AgentConnection } from "./connection.ts";
import { Entrance } from "./entrance.ts";
import { InProcessConnection } from "./in-process.ts";
import { LinkedAgents } from "./linked-agents.ts";
import { PollingAgents, type PollRequest } from "./polling/polling.ts";
import { KeyedConnections } from "./revocation.ts";
import { createSocketLimit } from "./socket-limit.ts";
import { V1Connection, type V1Options } from "./v1.ts";
import { V2Connection, type V2Options } from "./v2.ts";

export interface AgentSocketsOptions extends V1Options, V2Options {
  rules: RegistrationRules;
  keys: Pick<AgentKeys, "find" | "active">;
  log: Log;
  addressOf(request: Request, server: Server<AgentConnection>): RequestSource;
  socketsMax: number;
}

export type AgentSockets = ReturnType<typeof createAgentSockets>;

/** Every agent's socket is subscribed to this topic. */
const TOPIC = "agents";

/** How long agents wait after a drain before they reconnect: about as long as a server takes to restart. */
export const RESTART_MS = 2_000;

/** Extra send-buffer room for cancel and ping frames queued behind one ask. */
const CONTROL_BYTES_MAX = 1024 * 1024;

/** Opens the sockets of agents: decides who may register, and ends those whose key is revoked. */
export function createAgentSockets(options: AgentSocketsOptions) {
  const { rules, keys, clock, log, newId, socketsMax } = options;
  const limit = createSocketLimit(socketsMax);
  const keyed = new KeyedConnections({ keys, clock, log });
  const linked = new LinkedAgents(options, limit);
  const arrivals = createArrivals({ clock, log, keyed });
  const entrance = new Entrance({ rules, keys, limit, log });
  const waitingBytesMax = options.frameBytesMax + CONTROL_BYTES_MAX;
  const polling = new PollingAgents({ ...options, waitingBytesMax, entrance, arrivals });

  return {
    /** Upgrades a request to register. Throws an `AppError` that says why it is refused. */
    async register(request: Request, server: Server<AgentConnection>, pathKey: string | undefined) {
      const { headers } = request;
      const from = options.addressOf(request, server);
      const entered = await entrance.enter({ headers, from, pathKey }, () => protocolOf(headers));
      const { checked: protocol, ...admitted } = entered;
      const Connection = protocol === "v1" ? V1Connection : V2Connection;
      const data = new Connection(options, { ...admitted, transport: "websocket" });
      const answered = protocol === "v2" ? { "sec-websocket-protocol": AGENT_SUBPROTOCOL } : {};
      if (server.upgrade(request, { data, headers: answered })) return;
      admitted.lease.end();
      throw new AppError("upgrade_required", { hint: NO_UPGRADE_HINT });
    },
    /** Answers a request of an agent that long-polls. Rejects with an `AppError` that says why it is refused. */
    poll: (
      request: Request,
      server: Server<AgentConnection>,
      body: Pick<PollRequest, "pathKey" | "readText">,
    ) =>
      polling.answer({
        ...body,
        headers: request.headers,
        from: options.addressOf(request, server),
        signal: request.signal,
      }),
    /** Links the agent in this process, which has the main key. See `LinkedAgents`. */
    link: (agent: LinkedAgent, mainKey: string) => linked.link(agent, mainKey),
    /** Closes every socket that was opened with the key, and lets no more in. */
    endKey: (keyId: string) => keyed.end(keyId),
    /** The administrator has changed what a key says. The agents that are connected with it follow at once. */
    keyChanged: (key: AgentKey) => keyed.change(key),
    /** Looks now for keys that another server has changed or revoked, for those of the connected agents. */
    checkKeys: () => keyed.check(),
    /** Resolves once every agent that long-polls knows that its session has ended. */
    told: () => polling.told(),
    /** To be called once all sockets are closed. */
    stop: () => {
      linked.stop();
      keyed.stop();
    },
    /** Tells all agents that the server is going away, and how long to wait before they reconnect. */
    announceDrain(server: { publish(topic: string, text: string): unknown }, reconnectMs: number): void {
      // One frame that agents of both protocols can read.
      const v1 = { id: newId(), message: V1_MESSAGE.drain, data: "" };
      const text = JSON.stringify({ ...v1, type: "drain", reconnect_ms: reconnectMs });
      server.publish(TOPIC, text);
      polling.publish(text);
      linked.announceDrain(reconnectMs);
    },
    /**
     * Sends away so many agents at most, each once it has finished its asks, and lets no more register. The agent in
     * this process can go nowhere else.
     */
    sendAway(countMax: number): void {
      entrance.close();
      options.relay.sendAway(countMax, (transport) => !(transport instanceof InProcessConnection));
    },
    /** The handler for `Bun.serve`. */
    websocket: createHandler(options, arrivals),
  };
}

function createHandler(
  { frameBytesMax }: Pick<AgentSocketsOptions, "frameBytesMax">,
  arrivals: Arrivals,
): WebSocketHandler<AgentConnection> {
  return {
    data: {} as AgentConnection,
    // A busy v1 agent answers no ping of any kind, so the runtime's own time-out would cut it off. The relay
    // watches idle agents, and an ask's time limit watches busy ones.
    idleTimeout: 0,
    sendPings: false,
    perMessageDeflate: false,
    maxPayloadLength: frameBytesMax,
    backpressureLimit: frameBytesMax + CONTROL_BYTES_MAX,
    closeOnBackpressureLimit: true,
    open(ws) {
      const connection = ws.data;
      ws.subscribe(TOPIC);
      connection.open(ws);
      arrivals.opened(connection);
    },
    message: (ws, message) =>
      typeof message === "string" ? ws.data.receive(message) : ws.data.receiveBytes(message),
    drain: (ws) => ws.data.drained(),
    close: (ws, code) => arrivals.closed(ws.data, code),
  };
}

/** Bun accepts any subprotocol that is offered, so unknown ones must be refused here. */
function protocolOf(headers: Headers): AgentConnection["protocol"] {
  const offered = headers.get("sec-websocket-protocol");
  if (offered === null) return "v1";
  if (offered.split(",").some((name) => name.trim() === AGENT_SUBPROTOCOL)) return "v2";
  throw new AppError("subprotocol_unknown", {
    hint: `Offer ${AGENT_SUBPROTOCOL}, or no subprotocol for v1.`,
  });
}
