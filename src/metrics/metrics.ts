import { createAskMetrics } from "./asks.ts";
import { type CertificateSource, createCertificateMetrics } from "./certificate.ts";
import { watchLoopLag } from "./loop-lag.ts";
import { type ClusterMetricSources, createClusterMetrics, createStoreMetrics } from "./nodes.ts";
import { createProblemMetrics } from "./problems.ts";
import { createProcessMetrics } from "./process.ts";
import { CONTENT_TYPE, createRegistry } from "./registry.ts";
import { createRelayMetrics, type MetricSources } from "./relay.ts";
import { createRequestMetrics } from "./requests.ts";

interface MetricsOptions extends MetricSources {
  /** The version of this program. */
  version: string;
  /** Whether an agent offers or offered the model. */
  knowsModel(model: string): boolean;
}

export type Metrics = ReturnType<typeof createMetrics>;

/**
 * The metrics of the server. A call takes well under 1 µs. No label has a value that a caller can invent:
 * users and agents are not labels, and of the models only the first hundred that agents offer are.
 */
export function createMetrics({ version, knowsModel, ...sources }: MetricsOptions) {
  const registry = createRegistry();
  const build = {
    name: "chatgpt_api_build_info",
    help: "Always 1. The labels have the versions.",
    labels: ["version", "bun"],
  };
  registry.collect("gauge", build, () => [[1, version, process.versions["bun"] ?? ""]]);
  createProcessMetrics(registry);
  return {
    /** Counts a finished ask. */
    askEnded: createAskMetrics(registry, knowsModel),
    /** Counts an answered HTTP request. */
    requestAnswered: createRequestMetrics(registry),
    agents: createRelayMetrics(registry, sources),
    /** Adds the metrics of a node of a cluster. */
    addCluster: (sources: ClusterMetricSources) => createClusterMetrics(registry, sources),
    /** Adds the metric of a database that other servers may share. */
    addStore: (isDegraded: () => Promise<boolean>) => createStoreMetrics(registry, isDegraded),
    /** Adds the metrics of a server with TLS. */
    addCertificate: (read: CertificateSource) => createCertificateMetrics(registry, read),
    /** Adds the numbers of problems. */
    addProblems: (count: Parameters<typeof createProblemMetrics>[1]) => createProblemMetrics(registry, count),
    /** Stops measuring the event loop. */
    stop: watchLoopLag({ registry }),
    /** Returns all metrics in the Prometheus text format. */
    text: registry.text,
    contentType: CONTENT_TYPE,
  };
}
