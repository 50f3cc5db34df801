import { AGENT_TRANSPORTS } from "../protocol/agent-transport.ts";
import type { Agent } from "../relay/agent.ts";
import type { Relay } from "../relay/relay.ts";
import type { Registry } from "./registry.ts";

/** The sources of the gauges. */
export interface MetricSources {
  /** Returns the relay of this server, which is created after its metrics. */
  relay(): Pick<Relay, "stats" | "capacity" | "circuitStats" | "agents">;
  /** Returns the runtime's numbers of open requests and sockets. */
  server(): { requests: number; sockets: number };
}

/** Registers the metrics of agents, slots, the queue and sockets. Most are read when collected. */
export function createRelayMetrics(registry: Registry, sources: MetricSources) {
  const { server } = sources;
  const stats = oncePerTurn(() => sources.relay().stats());
  const capacity = oncePerTurn(() => sources.relay().capacity());
  const circuits = oncePerTurn(() => sources.relay().circuitStats());
  const gauge = (name: string, help: string, read: () => number) =>
    registry.collect("gauge", { name: `chatgpt_api_${name}`, help }, read);
  const counter = (name: string, help: string, read: () => number) =>
    registry.collect("counter", { name: `chatgpt_api_${name}_total`, help }, read);
  const agents = { name: "chatgpt_api_agents", help: "Connected agents, by protocol.", labels: ["protocol"] };
  registry.collect("gauge", agents, () => [
    [capacity().v1, "v1"],
    [capacity().v2, "v2"],
  ]);
  const transports = {
    name: "chatgpt_api_agent_connections",
    help: "Connected agents, by what carries their messages.",
    labels: ["transport"],
  };
  registry.collect("gauge", transports, () => countTransports(sources.relay().agents()));
  const states = {
    name: "chatgpt_api_agent_circuits",
    help: "Pairs of an agent and a model that get no requests because the last ones failed, by state.",
    labels: ["state"],
  };
  registry.collect("gauge", states, () => [
    [circuits().open, "open"],
    [circuits().half_open, "half_open"],
  ]);
  counter(
    "agent_circuit_openings",
    "How often a pair of an agent and a model was closed to requests after failures.",
    () => circuits().openings,
  );
  gauge(
    "agents_available",
    "Connected agents that accept requests, busy or not.",
    () => capacity().available,
  );
  gauge("slots", "Concurrent requests that the connected agents accept.", () => capacity().slots);
  gauge("slots_in_use", "Slots in use.", () => stats().slots_in_use);
  gauge("queue_length", "Requests that wait for a slot.", () => stats().asks_waiting);
  gauge("asks_running", "Requests that run at an agent.", () => stats().asks_running);
  counter("frames_ignored", "Unexpected frames from agents.", () => stats().frames_ignored);
  counter("answers_dropped", "Answers dropped because their caller was gone.", () => stats().answers_dropped);
  gauge("http_requests_in_flight", "HTTP requests that wait for their response.", () => server().requests);
  gauge(
    "websockets",
    "Open WebSockets of agents, registered or not, and of live views.",
    () => server().sockets,
  );
  const joined = registry.counter({
    name: "chatgpt_api_agent_joins_total",
    help: "Registrations of agents.",
  })();
  const left = registry.counter({
    name: "chatgpt_api_agent_leaves_total",
    help: "Departures of agents, by the reason why the server closed the socket, or socket_closed.",
    labels: ["reason"],
  });
  return {
    /** Counts a registration. */
    joined: () => joined.inc(),
    /** Counts a departure. The reason is the name of the close code, or `socket_closed`. */
    left: (reason: string) => left(reason).inc(),
  };
}

function countTransports(agents: Iterable<Agent>): [number, string][] {
  const counts = new Map<string, number>(AGENT_TRANSPORTS.map((transport) => [transport, 0]));
  for (const {
    profile: { transport = "" },
  } of agents)
    counts.set(transport, (counts.get(transport) ?? 0) + 1);
  return AGENT_TRANSPORTS.map((transport) => [counts.get(transport) ?? 0, transport]);
}

/** Reads a value once for all metrics of a collection, which runs in one turn of the event loop. */
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
