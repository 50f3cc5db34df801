import type { Relay } from "../relay/relay.ts";
import type { Registry } from "./registry.ts";

export interface PoolSources {
  /** The relay of this server, which is made after its metrics. */
  relay(): Pick<Relay, "stats" | "capacity">;
  /** The runtime's. */
  server(): { requests: number; sockets: number };
}

export interface AgentMetrics {
  joined(): void;
  /** With the name of the close code, or a word for none. */
  left(reason: string): void;
}

/** What is so at the moment of a look: agents, slots, the queue, sockets. */
export function createPoolMetrics(registry: Registry, sources: PoolSources): AgentMetrics {
  const { server } = sources;
  const stats = oncePerTurn(() => sources.relay().stats());
  const capacity = oncePerTurn(() => sources.relay().capacity());
  const gauge = (name: string, help: string, read: () => number) =>
    registry.read("gauge", { name: `chatgpt_api_${name}`, help }, read);
  const counter = (name: string, help: string, read: () => number) =>
    registry.read("counter", { name: `chatgpt_api_${name}_total`, help }, read);
  const agents = {
    name: "chatgpt_api_agents",
    help: "Connected agents, by the protocol that they speak.",
    labels: ["protocol"],
  };
  registry.read("gauge", agents, () => [
    [capacity().v1, "v1"],
    [capacity().v2, "v2"],
  ]);
  gauge("agents_available", "Connected agents that take work, busy or not.", () => capacity().available);
  gauge("slots", "Asks that the connected agents take at once.", () => capacity().slots);
  gauge("slots_in_use", "Slots with an ask in them.", () => stats().slots_in_use);
  gauge("queue_length", "Asks that wait for a slot.", () => stats().asks_waiting);
  gauge("asks_running", "Asks that are at an agent.", () => stats().asks_running);
  counter("frames_ignored", "Frames of agents that nobody asked for.", () => stats().frames_ignored);
  counter("answers_dropped", "Answers that came when their caller had gone.", () => stats().answers_dropped);
  gauge("http_requests_in_flight", "HTTP requests that wait for their answer.", () => server().requests);
  gauge(
    "websockets",
    "Open WebSockets: of agents, registered or not, and live views.",
    () => server().sockets,
  );
  return createAgentMetrics(registry);
}

/** All metrics are collected in one turn, and the pool is walked through but once for them. */
function oncePerTurn<Value>(read: () => Value): () => Value {
  let kept: { value: Value } | undefined;
  return () => {
    if (!kept) {
      kept = { value: read() };
      queueMicrotask(() => {
        kept = undefined;
      });
    }
    return kept.value;
  };
}

function createAgentMetrics(registry: Registry): AgentMetrics {
  const joined = registry.counter({
    name: "chatgpt_api_agent_joins_total",
    help: "Registrations of agents.",
  })();
  const left = registry.counter({
    name: "chatgpt_api_agent_leaves_total",
    help: "Departures of agents, by the reason for which the server closed the socket, or socket_closed.",
    labels: ["reason"],
  });
  return { joined: () => joined.inc(), left: (reason) => left(reason).inc() };
}
