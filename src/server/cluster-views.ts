import type { Monitor } from "../alerts/monitor.ts";
import type { Clock } from "../clock.ts";
import { ClusterFigures } from "../cluster/figures.ts";
import { ClusterLists, type OwnRows } from "../cluster/lists.ts";
import type { Link } from "../cluster/part.ts";
import { ClusterProblems } from "../cluster/problems.ts";
import { agentRows } from "../http/admin/agent-rows.ts";
import { connectionRows } from "../http/ask/connections.ts";
import { waitingRows } from "../http/ask/queue.ts";
import type { LiveFeed } from "../http/live/feed.ts";
import type { LiveOverview } from "../http/live/overview.ts";
import type { Relay } from "../relay/relay.ts";

/** The part of this node that others see. */
export interface ViewedServer {
  relay: Relay;
  overview: LiveOverview;
  live: LiveFeed;
  monitor: Monitor;
}

/** Creates the lists, figures and problems of all nodes. Routes need them before `server`, which others see, is made. */
export function createClusterViews(link: Link, clock: Clock, server: () => ViewedServer) {
  const lists = new ClusterLists({ link, clock, own: () => ownRows(server(), clock, link.self.version) });
  const figures = new ClusterFigures({ link, clock, overview: () => server().live.readForNodes() });
  const problems = new ClusterProblems({
    link,
    joined: (name, others) => server().monitor.nodeJoined(name, others),
    lost: (name, others) => server().monitor.nodeLost(name, others),
  });
  return { lists, figures, problems };
}

function ownRows({ relay, overview }: ViewedServer, clock: Clock, version: string): OwnRows {
  const { askedModels } = overview;
  return {
    agents: () => ({ rows: agentRows({ relay, askedModels, version, now: () => clock.now() }) }),
    connections: () => ({ rows: connectionRows(relay) }),
    waiting: (user) => waitingRows(relay, user),
  };
}
