import type { AskRecord } from "../relay/record.ts";
import { type AskMetricsOptions, createAskMetrics } from "./asks.ts";
import { watchLoopLag } from "./loop-lag.ts";
import { createProcessMetrics } from "./process.ts";
import { CONTENT_TYPE, createRegistry } from "./registry.ts";
import { type AgentMetrics, createRelayMetrics, type MetricSources } from "./relay.ts";
import { createRequestMetrics, type RequestRecord } from "./requests.ts";

export interface MetricsOptions extends MetricSources, Pick<AskMetricsOptions, "knowsModel"> {
  /** The version of this program. */
  version: string;
}

/**
 * The metrics of the server. A call takes well under 1 µs. No label has a value that a caller can invent:
 * users and agents are not labels, and of the models only the first hundred that agents offer are.
 */
export interface Metrics {
  /** Counts a finished ask. */
  askEnded(record: AskRecord): void;
  /** Counts an answered HTTP request. */
  requestAnswered(record: RequestRecord): void;
  agents: AgentMetrics;
  /** Returns all metrics in the Prometheus text format. */
  text(): string;
  contentType: string;
  /** Stops measuring the event loop. */
  stop(): void;
}

const MODELS_MAX = 100;

export function createMetrics({ version, knowsModel, ...sources }: MetricsOptions): Metrics {
  const registry = createRegistry();
  const build = {
    name: "chatgpt_api_build_info",
    help: "Always 1. The labels have the versions.",
    labels: ["version", "bun"],
  };
  registry.collect("gauge", build, () => [[1, version, process.versions["bun"] ?? ""]]);
  createProcessMetrics(registry);
  return {
    askEnded: createAskMetrics({ registry, knowsModel, modelsMax: MODELS_MAX }),
    requestAnswered: createRequestMetrics(registry),
    agents: createRelayMetrics(registry, sources),
    stop: watchLoopLag({ registry }),
    text: registry.text,
    contentType: CONTENT_TYPE,
  };
}
