import { hostname } from "node:os";
import type { AgentSockets } from "../agents/sockets.ts";
import { openWire } from "../cluster/open.ts";
import type { Part } from "../cluster/part.ts";
import { SharedLimits } from "../cluster/shared-limits.ts";
import type { Wire } from "../cluster/wire.ts";
import type { Config } from "../config/settings.ts";
import type { LiveOverview } from "../http/live/overview.ts";
import type { Log } from "../log/log.ts";
import type { Metrics } from "../metrics/metrics.ts";
import { printable } from "../printable.ts";
import type { Relay } from "../relay/relay.ts";
import type { Store } from "../store/store.ts";
import type { CountingClock } from "../time.ts";
import { type ClusterAgents, createClusterAgents } from "./cluster-agents.ts";
import type { Identities } from "./identities.ts";

/** The rest of the server, which is made after the wire. */
export interface ClusterServer extends Identities {
  relay: Relay;
  agents: AgentSockets;
  store: Store;
  overview: LiveOverview;
  metrics: Metrics;
}

export interface Cluster {
  wire: Wire;
  agents: ClusterAgents;
  limits: SharedLimits;
  /** Makes the parts, and announces this node to the others. */
  start(server: ClusterServer): void;
}

interface Given {
  config: Config;
  log: Log;
  clock: CountingClock;
  version: string;
  store: Store;
}

/**
 * Connects to NATS. This file and all of `src/cluster` are loaded only where a node has others. Throws a
 * `CommandError` if NATS cannot be used.
 */
export async function openCluster({ config, log, clock, version, store }: Given): Promise<Cluster> {
  const { nats: servers = [], natsCreds: credsFile, clusterKey = "", clusterName } = config;
  const wire = await openWire({
    ...{ servers, credsFile, clusterName, clusterKey, version, log, clock },
    nodeName: config.nodeName ?? printable(hostname()),
    bodyBytesMax: config.bodyBytesMax,
  });
  const elapsedMs = () => performance.now();
  const limits = new SharedLimits({ link: wire, clock, elapsedMs, usage: store.usage, log });
  let relay: Relay | undefined;
  const agents = createClusterAgents({
    link: wire,
    clock,
    relay() {
      if (!relay) throw new Error("the cluster has not started");
      return relay;
    },
  });
  return {
    wire,
    agents,
    limits,
    start(server) {
      relay = server.relay;
      agents.start();
      wire.start([...agents.parts, limits.part, ...partsOf(wire, server)]);
    },
  };
}

/** Returns the concerns of a node: one line each. */
function partsOf(_wire: Wire, _server: ClusterServer): Part[] {
  return [];
}
