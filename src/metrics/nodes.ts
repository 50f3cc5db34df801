import type { Registry } from "./registry.ts";

/** The outcomes of offers of slots between nodes. */
const OFFER_OUTCOMES = ["run", "substituted", "given", "expired"] as const;

/** The sources of the metrics of a node. Each is read when the metrics are collected. One that is missing has no metric. */
export interface ClusterMetricSources {
  /** How many nodes of the cluster are in touch, this one included. */
  nodes(): number;
  /** The traffic with the other nodes since the start. */
  traffic(): { messagesIn: number; messagesOut: number; resends: number; resets: number };
  /** The asks of other nodes that wait here, and the outcomes of offers since the start. */
  lending(): { tickets: number; offers: Readonly<Record<(typeof OFFER_OUTCOMES)[number], number>> };
  /** How many tries of asks of this node were lost with the nodes of their agents. */
  triesLost?: (() => number) | undefined;
  /** How many requests were admitted by the counts of this node alone, as the home of their user did not answer. */
  limitsUnasked?: (() => number) | undefined;
}

/** Registers the metrics of a node of a cluster. */
export function createClusterMetrics(registry: Registry, sources: ClusterMetricSources): void {
  const gauge = (name: string, help: string, read: () => number) =>
    registry.collect("gauge", { name: `chatgpt_api_${name}`, help }, read);
  const counter = (name: string, help: string, read: () => number) =>
    registry.collect("counter", { name: `chatgpt_api_${name}_total`, help }, read);
  gauge("cluster_nodes", "Nodes of the cluster that are in touch, this one included.", sources.nodes);
  const messages = {
    name: "chatgpt_api_cluster_messages_total",
    help: "Messages of the other nodes (in) and to them (out).",
    labels: ["direction"],
  };
  registry.collect("counter", messages, () => {
    const { messagesIn, messagesOut } = sources.traffic();
    return [
      [messagesIn, "in"],
      [messagesOut, "out"],
    ];
  });
  counter("cluster_resends", "How often lost messages were sent again.", () => sources.traffic().resends);
  counter(
    "cluster_resets",
    "How often this node and another one had to begin anew.",
    () => sources.traffic().resets,
  );
  gauge(
    "tickets",
    "Requests at other nodes that wait for agents of this one.",
    () => sources.lending().tickets,
  );
  const offers = {
    name: "chatgpt_api_offers_total",
    help: "Offers of slots of other nodes by what they were used for, and own ones that expired.",
    labels: ["outcome"],
  };
  registry.collect("counter", offers, () => {
    const counts = sources.lending().offers;
    return OFFER_OUTCOMES.map((outcome) => [counts[outcome], outcome] as const);
  });
  counter(
    "asks_lent",
    "Requests of this node that were sent to an agent of another one.",
    () => sources.lending().offers.run + sources.lending().offers.substituted,
  );
  const { triesLost, limitsUnasked } = sources;
  const lost = {
    name: "chatgpt_api_tries_lost_total",
    help: "Tries of requests that were lost with the node of their agent.",
    labels: ["reason"],
  };
  if (triesLost) registry.collect("counter", lost, () => [[triesLost(), "node"]]);
  const unasked =
    "Requests admitted by the counts of this node alone, as the node that counts for their user did not answer.";
  if (limitsUnasked) counter("limits_unasked", unasked, limitsUnasked);
}

/**
 * Registers whether the database fails, while requests of known users are served. Each collection starts a check, whose
 * result the next one has.
 */
export function createStoreMetrics(registry: Registry, isDegraded: () => Promise<boolean>): void {
  let value = 0;
  const help = "1 if the database fails and requests of known users are served without it, otherwise 0.";
  registry.collect("gauge", { name: "chatgpt_api_store_degraded", help }, () => {
    void isDegraded().then(
      (degraded) => {
        value = Number(degraded);
      },
      () => {},
    );
    return value;
  });
}
