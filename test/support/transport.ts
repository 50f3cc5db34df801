import type { V1Answer } from "../../src/protocol/agent-v1.ts";
import type { CloseReason } from "../../src/protocol/close.ts";
import type { AgentProfile } from "../../src/relay/agent.ts";
import type { AgentCommand, AgentLink, Transport } from "../../src/relay/ports.ts";
import type { Relay } from "../../src/relay/relay.ts";

/** An agent without a socket: keeps what it is sent, and says only what a test makes it say. */
export interface FakeAgent {
  id: string;
  link: AgentLink;
  /** Requests not answered yet, oldest first. */
  asks: { slot: string; content: string }[];
  /** Slots it was told to give up. */
  cancelled: string[];
  pings: number;
  closed: CloseReason[];
  /** When false, everything sent to it is dropped. */
  takesFrames: boolean;
  /** Answers its oldest request, or the given one; an agent of v2 by a delta with the content. */
  answer(options?: { slot?: string; conversation?: string }): void;
}

export function answerTo(content: string, conversation = ""): V1Answer {
  return { id: "", response_id: "r", conversation_id: conversation, content: `echo: ${content}`, error: "" };
}

function contentOf({ what, model }: Extract<AgentCommand, { kind: "ask" }>): string {
  return "content" in what ? what.content : what.body(model);
}

interface JoinOptions {
  address?: string;
  trusted?: boolean;
  slots?: number;
  protocol?: AgentProfile["protocol"];
  models?: string[];
  /** Answers pings by itself. Default true. */
  pongs?: boolean;
}

export function joinAgent(relay: Relay, id: string, options: JoinOptions = {}): FakeAgent {
  const agent = tryJoinAgent(relay, id, options);
  if (!agent) throw new Error(`${id} was not let in`);
  return agent;
}

export function tryJoinAgent(relay: Relay, id: string, options: JoinOptions = {}): FakeAgent | undefined {
  const { address = "127.0.0.1", trusted = false, slots = 1, pongs = true } = options;
  const { protocol = "v1", models = ["m"] } = options;
  const agent: Omit<FakeAgent, "link"> & { link?: AgentLink } = {
    id,
    asks: [],
    cancelled: [],
    pings: 0,
    closed: [],
    takesFrames: true,
    answer({ slot, conversation = "" } = {}) {
      const index = slot === undefined ? 0 : agent.asks.findIndex((ask) => ask.slot === slot);
      const [ask] = agent.asks.splice(index, 1);
      if (!ask) throw new Error(`${id} has nothing to answer`);
      if (protocol === "v2") {
        agent.link?.delta(ask.slot, { data: ask.content });
        agent.link?.done(ask.slot, { kind: "model", status: 200, body: undefined, usage: undefined });
      } else {
        agent.link?.done(ask.slot, { kind: "v1", answer: answerTo(ask.content, conversation) });
      }
    },
  };
  const transport: Transport = {
    send(command: AgentCommand) {
      if (!agent.takesFrames) return false;
      if (command.kind === "ask") agent.asks.push({ slot: command.slot, content: contentOf(command) });
      else if (command.kind === "cancel") agent.cancelled.push(command.slot);
      else {
        agent.pings++;
        if (pongs) queueMicrotask(() => agent.link?.pong());
      }
      return true;
    },
    close: (reason) => agent.closed.push(reason),
  };
  const link = relay.join(
    {
      ...{ id, name: id, address, trusted, protocol, slots },
      models: models.map((model) => ({ id: model })),
      endpoints: ["chat/completions"],
    },
    transport,
  );
  if (!link) return undefined;
  agent.link = link;
  return agent as FakeAgent;
}
