import type { AppError } from "../../src/errors.ts";
import type { V1Answer } from "../../src/protocol/agent-v1.ts";
import type { CloseReason } from "../../src/protocol/close.ts";
import type { Agent } from "../../src/relay/agent.ts";
import type { Relay } from "../../src/relay/relay.ts";
import {
  type AgentCommand,
  type AgentProfile,
  type Answer,
  DEFAULT_PREFERENCE,
  type Delta,
  type OfferUpdate,
  type Preference,
  type SentBytes,
  type Transport,
} from "../../src/relay/types.ts";

/**
 * An agent without a socket: keeps the commands that it is sent, and sends only what a test makes it send.
 */
export interface FakeAgent {
  id: string;
  /** The calls that the agent's connection would make to the relay. */
  link: ReturnType<typeof linkOf>;
  /** Asks that are not answered yet, oldest first. */
  asks: { slot: string; content: string }[];
  /** Slots whose asks were cancelled. */
  cancelled: string[];
  pings: number;
  closed: CloseReason[];
  /** The bytes that it was sent, and where they are. */
  sentBytes: SentBytes;
  /** When false, everything that is sent to it is dropped. */
  takesFrames: boolean;
  /** Answers its oldest ask, or the given one. A v2 agent streams one delta with the content. */
  answer(options?: { slot?: string; conversation?: string }): void;
}

export function answerTo(content: string, conversation = ""): V1Answer {
  return { id: "", response_id: "r", conversation_id: conversation, content: `echo: ${content}`, error: "" };
}

function contentOf({ request, model }: Extract<AgentCommand, { kind: "ask" }>): string {
  return "content" in request ? request.content : request.body(model, new Set());
}

/** The relay's methods for agents' connections, for this one agent. */
function linkOf(relay: Relay, agent: Agent) {
  return {
    pong: () => relay.pong(agent),
    holds: (slot: string) => agent.holds(slot),
    accept: (slot: string) => relay.accept(agent, slot),
    announced: (bytes: number) => relay.announced(agent, bytes),
    alive: (slot: string) => relay.alive(agent, slot),
    delta: (slot: string, delta: Delta) => relay.delta(agent, slot, delta),
    done: (slot: string, answer: Answer) => relay.done(agent, slot, answer),
    fail: (slot: string, error: AppError, retryable: boolean) => relay.fail(agent, slot, error, retryable),
    update: (offer: OfferUpdate) => relay.update(agent, offer),
    prefer: (preference: Partial<Preference>) =>
      relay.prefer(agent, { ...DEFAULT_PREFERENCE, ...preference }),
    pause: () => relay.pause(agent),
    writable: (isWritable: boolean) => relay.writable(agent, isWritable),
    ignored: () => relay.ignored(),
    gone: (reason?: CloseReason) => relay.gone(agent, reason),
  };
}

interface JoinOptions {
  address?: string;
  resumed?: boolean;
  key?: AgentProfile["key"];
  slots?: number;
  protocol?: AgentProfile["protocol"];
  models?: string[];
  /** Those of the models that its upstream has in memory, if it tells. */
  loaded?: string[];
  /** The parts that differ from the default preference. */
  preference?: Partial<Preference>;
  /** Whether it answers pings by itself. Default: true. */
  pongs?: boolean;
  /** Called with each ask that it gets. */
  onAsk?: (ask: FakeAgent["asks"][number]) => void;
}

export function joinAgent(relay: Relay, id: string, options: JoinOptions = {}): FakeAgent {
  const agent = tryJoinAgent(relay, id, options);
  if (!agent) throw new Error(`${id} was not let in`);
  return agent;
}

export function tryJoinAgent(relay: Relay, id: string, options: JoinOptions = {}): FakeAgent | undefined {
  const { address = "127.0.0.1", resumed = false, key, slots = 1, pongs = true } = options;
  const { protocol = "v1", models = ["m"], loaded, preference } = options;
  const agent: Omit<FakeAgent, "link"> & { link?: FakeAgent["link"] } = {
    id,
    asks: [],
    cancelled: [],
    pings: 0,
    closed: [],
    takesFrames: true,
    sentBytes: { total: 0, buffered: 0, read: 0 },
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
      if (command.kind === "ask") {
        const ask = { slot: command.slot, content: contentOf(command) };
        agent.asks.push(ask);
        options.onAsk?.(ask);
      } else if (command.kind === "cancel") agent.cancelled.push(command.slot);
      else {
        agent.pings++;
        if (pongs) queueMicrotask(() => agent.link?.pong());
      }
      return true;
    },
    close: (reason) => agent.closed.push(reason),
    sentBytes: () => agent.sentBytes,
  };
  const joined = relay.join(
    {
      ...{ id, name: id, address, resumed, key, protocol, slots },
      models: models.map((model) => ({ id: model, ...(loaded && { loaded: loaded.includes(model) }) })),
      preference: { ...DEFAULT_PREFERENCE, ...preference },
      endpoints: ["chat/completions"],
    },
    transport,
  );
  if (!joined) return undefined;
  agent.link = linkOf(relay, joined);
  return agent as FakeAgent;
}
