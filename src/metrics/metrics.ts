import type { AskRecord } from "../relay/record.ts";
import { type AskMetricsOptions, createAskMetrics } from "./asks.ts";
import { watchLoopLag } from "./loop-lag.ts";
import { type AgentMetrics, createPoolMetrics, type PoolSources } from "./pool.ts";
import { createProcessMetrics } from "./process.ts";
import { CONTENT_TYPE, createRegistry } from "./registry.ts";
import { createRequestMetrics, type RequestRecord } from "./requests.ts";

export interface MetricsOptions extends PoolSources, Pick<AskMetricsOptions, "knowsModel"> {
  /** Of this program. */
  version: string;
}

/**
 * What is counted, well under 1 µs a call. No label has a value that a caller can make up: users are none, agents
 * neither, and models only those that agents offer, the first hundred of them.
 */
export interface Metrics {
  /** An ask is over. */
  asked(record: AskRecord): void;
  requested(record: RequestRecord): void;
  agents: AgentMetrics;
  /** All figures in Prometheus' text format: https://prometheus.io/docs/instrumenting/exposition_formats/. */
  text(): string;
  contentType: string;
  /** Ends the watch on the event loop. */
  stop(): void;
}

const MODELS_MAX = 100;

export function createMetrics({ version, knowsModel, ...sources }: MetricsOptions): Metrics {
  const registry = createRegistry();
  const build = {
    name: "chatgpt_api_build_info",
    help: "Always 1; the labels say what runs.",
    labels: ["version", "bun"],
  };
  registry.read("gauge", build, () => [[1, version, process.versions["bun"] ?? ""]]);
  createProcessMetrics(registry);
  return {
    asked: createAskMetrics({ registry, knowsModel, modelsMax: MODELS_MAX }),
    requested: createRequestMetrics(registry),
    agents: createPoolMetrics(registry, sources),
    stop: watchLoopLag({ registry }),
    text: registry.text,
    contentType: CONTENT_TYPE,
  };
}
