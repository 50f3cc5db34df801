import { AGENT_SUBPROTOCOL } from "../../protocol/agent-v2.ts";
import type { BunServer } from "../exchange.ts";
import { resource, route } from "../route.ts";

interface RegisterDeps {
  agents: {
    /** Upgrades a request to register an agent, or throws an `AppError`. Checks the agent key itself. */
    register(request: Request, server: BunServer, pathKey: string | undefined): Promise<void>;
  };
}

const ANSWERS = { 101: { description: "The connection is now a WebSocket." } } as const;
const ERRORS = ["upgrade_required", "subprotocol_unknown", "agents_full"] as const;

const PROTOCOLS = [
  `An agent opens a WebSocket here and waits for requests. With the subprotocol \`${AGENT_SUBPROTOCOL}\` it speaks v2: its first frame is \`hello\` with its name, models, endpoints and slots. The server answers \`ready\` with the agent's id and the secret that takes this identity back, and then sends \`ask\`, \`cancel\`, \`ping\` and \`drain\`. The agent sends \`accept\`, \`delta\`, \`done\`, \`fail\`, \`update\`, \`pause\` and \`pong\`.`,
  "Without a subprotocol it speaks v1 and has one slot: the server sends its id, which the agent sends back, then `ping` and `ChatGptRequest`. Each frame is a JSON object of the three strings `id`, `message` and `data`. Any other subprotocol is refused.",
  "After a close code from 4000 to 4499 an agent should reconnect, after one from 4500 to 4999 it should not. docs/agent-protocol.md describes each frame.",
].join("\n\n");

const ROUTES = {
  registerAgent: route("GET /client/register", {
    access: "agent",
    summary: "Register an agent (WebSocket)",
    description: PROTOCOLS,
    answers: ANSWERS,
    errors: ERRORS,
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
export const registerRoutes = resource("Registration", ROUTES).handledBy(({ agents }: RegisterDeps) => ({
  async registerAgent({ exchange: { request, server } }) {
    await agents.register(request, server, undefined);
  },

  async registerAgentByPath({ exchange: { request, server }, params: { key } }) {
    await agents.register(request, server, key);
  },
}));
