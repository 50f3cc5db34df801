import { LINES_TYPE } from "../../protocol/agent-polling.ts";
import { AGENT_SUBPROTOCOL } from "../../protocol/agent-v2.ts";
import type { BunServer, Exchange } from "../exchange.ts";
import { type BodyLimits, readText } from "../middleware/body.ts";
import { okAs, resource, route } from "../route.ts";

interface RegisterDeps {
  agents: {
    /** Upgrades a request to register an agent, or throws an `AppError`. Checks the agent key itself. */
    register(request: Request, server: BunServer, pathKey: string | undefined): Promise<void>;
    /** Answers a request of an agent that long-polls, or throws an `AppError`. Checks the agent key itself. */
    poll(
      request: Request,
      server: BunServer,
      body: { pathKey: string | undefined; readText(cut: AbortSignal): Promise<string> },
    ): Promise<Response>;
  };
  /** The limits of the bodies of agents that long-poll. */
  bodyLimits: BodyLimits;
}

const ANSWERS = { 101: { description: "The connection is now a WebSocket." } } as const;
const ERRORS = ["upgrade_required", "subprotocol_unknown", "agents_full"] as const;

const PROTOCOLS = [
  `An agent opens a WebSocket here and waits for requests. With the subprotocol \`${AGENT_SUBPROTOCOL}\` it speaks v2: its first frame is \`hello\` with its name, models, endpoints and slots. The server answers \`ready\` with the agent's id and the secret that takes this identity back, and then sends \`ask\`, \`cancel\`, \`ping\` and \`drain\`. The agent sends \`accept\`, \`delta\`, \`head\`, \`done\`, \`fail\`, \`update\`, \`pause\` and \`pong\`.`,
  "Without a subprotocol it speaks v1 and has one slot: the server sends its id, which the agent sends back, then `ping` and `ChatGptRequest`. Each frame is a JSON object of the three strings `id`, `message` and `data`. Any other subprotocol is refused.",
  "After a close code from 4000 to 4499 an agent should reconnect, after one from 4500 to 4999 it should not. docs/agent-protocol.md describes each frame.",
].join("\n\n");

const POLLING = [
  "For agents of v2 in networks where WebSockets do not get through. A request without the header `Agent-Session` begins a session, and its answer has the name of the session. All further requests send that name in the header, with the same key. A body has lines of JSON: the head, and then messages as a WebSocket would carry them.",
  "The head of a request may have `first`, the number of its first message; `received`, the number of the last message of the server that the agent has, which makes it a poll; and `close`. A poll is answered once there is a newer message, or after `poll_ms`. docs/agent-protocol.md describes it.",
].join("\n\n");

const POLL_ANSWERS = okAs(LINES_TYPE, "The messages of the server, if there are any.", {
  description: "Lines of JSON: the head, and then the messages.",
  example: '{"session":"4fJ0…","poll_ms":25000,"absent_ms":15000,"received":0,"sent":0}',
});
const POLL_ERRORS = [
  ...["agent_session_unknown", "agents_full", "address_busy", "draining"],
  ...["body_invalid", "body_too_large", "body_timeout"],
] as const;

const ROUTES = {
  registerAgent: route("GET /client/register", {
    access: "agent",
    summary: "Register an agent (WebSocket)",
    description: PROTOCOLS,
    answers: ANSWERS,
    errors: ERRORS,
  }),
  pollAgent: route("POST /client/poll", {
    access: "agent",
    summary: "Exchange the messages of an agent by long-polling",
    description: POLLING,
    answers: POLL_ANSWERS,
    errors: POLL_ERRORS,
    isProbe: true,
  }),
  pollAgentByPath: route("POST /agents/:key/client/poll", {
    access: "agentInPath",
    summary: "The same as `/client/poll`, with the key in the path",
    params: { key: "The agent key." },
    answers: POLL_ANSWERS,
    errors: POLL_ERRORS,
    isProbe: true,
  }),
  registerAgentByPath: route("GET /agents/:key/client/register", {
    access: "agentInPath",
    summary: "The same, for agents that cannot send a header of their own",
    description:
      "Works like `/client/register`. An agent that is configured with the address `host:8080/agents/<agent key>` connects here.",
    params: { key: "The agent key." },
    answers: ANSWERS,
    errors: ERRORS,
  }),
};

/** The routes where agents connect. */
export const registerRoutes = resource("Registration", ROUTES).handledBy(
  ({ agents, bodyLimits }: RegisterDeps) => {
    const poll = (exchange: Exchange, pathKey: string | undefined) =>
      agents.poll(exchange.request, exchange.server, {
        pathKey,
        readText: (cut) => readText(exchange, bodyLimits, "body_invalid", { cut }),
      });
    return {
      async registerAgent({ exchange: { request, server } }) {
        await agents.register(request, server, undefined);
      },

      async registerAgentByPath({ exchange: { request, server }, params: { key } }) {
        await agents.register(request, server, key);
      },

      pollAgent: ({ exchange }) => poll(exchange, undefined),

      pollAgentByPath: ({ exchange, params: { key } }) => poll(exchange, key),
    };
  },
);
