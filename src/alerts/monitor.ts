import type { Principal } from "../principal.ts";
import { PROBLEM_CODES, type Problem, type ProblemCode } from "../protocol/node/problems.ts";
import type { AgentIdentity, LeaveReason } from "../relay/types.ts";
import { findFailing, findNoAgent } from "./finders/agents.ts";
import { createLostNodes } from "./finders/nodes.ts";
import { createPresence } from "./finders/presence.ts";
import { createRefused } from "./finders/refused.ts";
import { findQueue, findServer } from "./finders/server.ts";
import { findWaiting } from "./finders/waiting.ts";
import type { Finding } from "./finding.ts";
import { mergeProblems, weightOf } from "./merge.ts";
import type { AlertSources, WatchedRelay } from "./sources.ts";
import { Watch } from "./watch.ts";

interface MonitorOptions {
  /** Returns the sources, which are made later, as they report to the monitor. */
  sources: () => AlertSources;
  /** Whether an agent offers or offered the model. */
  knowsModel: (model: string) => boolean;
  /** Returns the user's name, if it is known by now; null if it is not, or there is none. */
  userName: (id: string) => string | null;
  /** Looks names up, so that `userName` knows them the next time. */
  loadUsers: (ids: readonly string[]) => void;
  /** Milliseconds since 1970. */
  now: () => number;
}

export type Monitor = ReturnType<typeof createMonitor>;

/** The waiting requests that are looked at in one second. With more, the look is taken less often. */
const WAITING_MAX = 5_000;
/** These are of one node, and say so in a cluster. */
const OF_NODE: ReadonlySet<ProblemCode> = new Set<ProblemCode>([
  ...(["queue_filling", "database_away", "nats_away", "certificate", "disk_low"] as const),
  ...(["clock_differs", "webhook_failing"] as const),
]);

/**
 * Finds once a second what is wrong with this node. It looks at what the server knows anyway, and takes no time of a
 * request, except to count those that were refused.
 */
export function createMonitor({ sources, knowsModel, userName, loadUsers, now }: MonitorOptions) {
  const watch = new Watch();
  const presence = createPresence();
  const refused = createRefused();
  const lostNodes = createLostNodes();
  let problems: Problem[] = [];
  let waiting: Finding[] = [];
  let ticks = 0;

  function findAll(at: number): Finding[] {
    const given = sources();
    const { cluster } = given;
    const relay = countedOnce(given.relay);
    const from = { ...given, relay };
    const length = relay.stats().asks_waiting;
    if (length === 0) waiting = [];
    else if (ticks++ % Math.ceil(length / WAITING_MAX) === 0) waiting = findWaiting(from, at);
    const users = refused.findUsers(userName, at);
    loadUsers(users.map(({ subject }) => subject));
    const found = [
      ...findFailing(from),
      ...findNoAgent(from, presence.hadAgents),
      ...waiting,
      ...users,
      ...refused.findModels(from, knowsModel, at),
      ...presence.find((id) => cluster?.isConnectedElsewhere(id) === true, at),
      ...findQueue(from),
      ...findServer(from, at),
      // Without NATS all other nodes are lost, which needs no further report.
      ...(from.facts().isNatsAway ? [] : lostNodes.find(at)),
    ];
    return cluster ? found.map((finding) => ofNode(finding, cluster.self)) : found;
  }

  return {
    /** Looks once. Call it once a second. */
    tick(): void {
      const at = now();
      problems = mergeProblems(watch.update(findAll(at), at));
    },
    /** The problems of this node, the worst first. */
    problems: (): readonly Problem[] => problems,
    /** How many problems of each code there are. A group counts its members. */
    counts(): Record<ProblemCode, number> {
      const counts = Object.fromEntries(PROBLEM_CODES.map((code) => [code, 0])) as Record<
        ProblemCode,
        number
      >;
      for (const problem of problems) counts[problem.code] += weightOf(problem);
      return counts;
    },

    agentJoined: (agent: AgentIdentity): void => presence.joined(agent, now()),
    agentLeft: (agent: AgentIdentity, reason: LeaveReason): void => presence.left(agent, reason, now()),
    /** A request ended that no agent could do. */
    unserved: (model: string | undefined): void => refused.noteModel(model, now()),
    /** A request was refused before it became an ask, for a reason such as an error code. */
    refused: (principal: Principal, reason: string, model: string | undefined): void =>
      refused.note(principal, reason, now(), model),
    nodeJoined: lostNodes.joined,
    nodeLost: (name: string, nodes: number): void => lostNodes.lost(name, nodes, now()),
  };
}

/** Returns the relay as it is in this moment: to count its agents takes long if they are many. */
function countedOnce(relay: WatchedRelay): WatchedRelay {
  const [stats, capacity] = [relay.stats(), relay.capacity()];
  return {
    agents: () => relay.agents(),
    stats: () => stats,
    capacity: () => capacity,
    offersModel: (model) => relay.offersModel(model),
    lastWith: (model) => relay.lastWith(model),
    waitingAsks: () => relay.waitingAsks(),
  };
}

function ofNode(finding: Finding, node: string): Finding {
  if (!OF_NODE.has(finding.code)) return finding;
  return { ...finding, details: { ...finding.details, nodes: [node] } };
}
