import { hostname } from "node:os";
import { type Change, createChanges } from "../cluster/changes.ts";
import { Exchange } from "../cluster/exchange/exchange.ts";
import { SharedLimits } from "../cluster/limits/shared-limits.ts";
import { ClusterResponses } from "../cluster/responses/cluster-responses.ts";
import { openWire } from "../cluster/wire/open.ts";
import type { Wire } from "../cluster/wire/wire.ts";
import type { Config } from "../config/settings.ts";
import type { Responses } from "../http/responses/create.ts";
import type { Log } from "../log/log.ts";
import type { Metrics } from "../metrics/metrics.ts";
import type { PriceBook } from "../prices/price-book.ts";
import { printable } from "../printable.ts";
import type { Store } from "../store/store.ts";
import type { CountingClock } from "../time.ts";
import { type ChangedParts, changeTargets } from "./change-targets.ts";
import { type ClusterAgents, createClusterAgents } from "./cluster-agents.ts";
import { createClusterViews, type ViewedServer } from "./cluster-views.ts";
import type { Identities } from "./identities.ts";

/** The rest of the server, which is made after the wire. */
export interface ClusterServer extends Identities, ChangedParts, ViewedServer {
  store: Store;
  metrics: Metrics;
  responses: Pick<Responses, "held">;
}

export interface Cluster extends ReturnType<typeof createClusterViews> {
  wire: Wire;
  agents: ClusterAgents;
  limits: SharedLimits;
  /** The responses in the memories of the other nodes. */
  responses: ClusterResponses;
  /** The port by which the relay reaches the other nodes. */
  exchange: Exchange;
  /** Passes on to the parts what the other nodes send, and announces this node to them. */
  start(server: ClusterServer): void;
  /** Tells the other nodes what this one has changed. Harmless before the start. */
  announce(change: Change): void;
}

interface Given {
  config: Config;
  log: Log;
  clock: CountingClock;
  version: string;
  store: Store;
  prices: PriceBook;
}

/**
 * Connects to NATS. This file and all of `src/cluster` are loaded only where a node has others. Throws a
 * `CommandError` if NATS cannot be used.
 */
export async function openCluster({ config, log, clock, version, store, prices }: Given): Promise<Cluster> {
  const { nats: servers = [], natsCreds: credsFile, clusterKey = "", clusterName } = config;
  const wire = await openWire({
    ...{ servers, credsFile, clusterName, clusterKey, version, log, clock },
    nodeName: config.nodeName ?? printable(hostname()),
    bodyBytesMax: config.bodyBytesMax,
  });
  const elapsedMs = () => performance.now();
  const limits = new SharedLimits({
    ...{ link: wire, clock, elapsedMs, usage: store.usage, log },
    currency: () => prices.currency,
  });
  let announce: Cluster["announce"] = () => {};
  let started: ClusterServer | undefined;
  const server = () => {
    if (!started) throw new Error("the cluster has not started");
    return started;
  };
  const relay = () => server().relay;
  const agents = createClusterAgents({ link: wire, clock, relay });
  const exchange = new Exchange({
    ...{ link: wire, clock, relay, directory: agents.directory },
    soon: (run) => void setImmediate(run),
    reconnectGraceMs: config.reconnectGraceMs,
  });
  const responses = new ClusterResponses({ link: wire, clock, held: () => server().responses.held });
  const views = createClusterViews(wire, clock, server);
  return {
    ...{ wire, agents, limits, exchange, responses },
    ...views,
    start(server) {
      started = server;
      agents.start();
      const changes = createChanges(wire, changeTargets(server));
      announce = changes.announce;
      server.metrics.addCluster({
        nodes: () => wire.nodes.size + 1,
        traffic: () => wire.counts,
        lending: () => server.relay.lendingStats(),
        triesLost: () => exchange.stats().triesLost,
        limitsUnasked: () => limits.unasked,
      });
      exchange.start();
      // The directory comes first, as the exchange looks into it.
      wire.start([
        ...agents.parts,
        exchange,
        limits.part,
        views.lists,
        views.figures,
        views.problems,
        changes,
        responses,
      ]);
    },
    announce: (change) => announce(change),
  };
}
