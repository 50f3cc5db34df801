import { AGENT_SUBPROTOCOL } from "../../protocol/agent-v2.ts";
import { type Description, inPath } from "../docs/describe.ts";

const errors = ["upgrade_required", "subprotocol_unknown", "agents_full"] as const;
const answers = { "101": { description: "The connection is a WebSocket from here." } };

const WORDS = [
  `An agent opens a WebSocket here and waits for work. With the subprotocol \`${AGENT_SUBPROTOCOL}\` it speaks version 2: its first frame is \`hello\` with its name, models, endpoints and slots, the server answers \`ready\` with its id and the secret that takes this identity back, and then sends \`ask\`, \`cancel\`, \`ping\` and \`drain\`; the agent sends \`accept\`, \`delta\`, \`done\`, \`fail\`, \`update\`, \`pause\` and \`pong\`.`,
  "Without a subprotocol it is an agent of version 1, which has one slot: the server sends its id, which the agent sends back, then `ping` and `ChatGptRequest`, each a JSON object of the three strings `id`, `message` and `data`. Another subprotocol is refused.",
  "A close code from 4000 to 4499 means come back, one from 4500 to 4999 do not. docs/agent-protocol.md has each frame.",
].join("\n\n");

export const registrationDescriptions: readonly Description[] = [
  {
    ...{ method: "GET", path: "/client/register", id: "registerAgent", tag: "Registration", key: "agent" },
    summary: "Register an agent (WebSocket)",
    description: WORDS,
    answers,
    errors,
  },
  {
    ...{
      method: "GET",
      path: "/agents/:key/client/register",
      id: "registerAgentByPath",
      tag: "Registration",
    },
    key: "agentInPath",
    summary: "The same, for agents that cannot send a header of their own",
    description:
      "As `/client/register`; an agent that is given the address `host:8080/agents/<agent key>` comes here.",
    parameters: [inPath("key", "The agent key.")],
    answers,
    errors,
  },
];
