import { type Clusters, withClusters } from "../cluster.ts";
import { rowsOf } from "../compare.ts";
import { chatExchange, conversationExchange, streamExchange } from "../exchanges.ts";
import type { Load } from "../measure.ts";
import type { Row } from "../rows.ts";
import type { Context, Scenario } from "../scenario.ts";
import { AGAIN, measureSides, type Side } from "../sides.ts";
import { addUsers, connectAgents, V2_AGENTS } from "../targets.ts";
import type { Target } from "../workshop.ts";

type Loads = Readonly<Record<string, Omit<Load, "tokenOf">>>;

/** Returns a side whose callers and agents are at the first of the nodes. The CPU is that of all nodes. */
async function sideOf({ workshop }: Context, nodes: readonly Target[], loads: Loads, agentsAt = 0) {
  const [target, ...others] = nodes as [Target, ...Target[]];
  const home = nodes[agentsAt] ?? target;
  await connectAgents(workshop, home, V2_AGENTS);
  const tokenOf = await addUsers(target);
  const helpers = Object.fromEntries(others.map(({ pid }, index) => [`node ${index + 2}`, pid]));
  const withTokens = Object.entries(loads).map(([name, load]) => [name, { ...load, tokenOf }] as const);
  return { target: { ...target, helpers }, loads: Object.fromEntries(withTokens) } satisfies Side;
}

const CHAT_LOADS: Loads = { chat: { callers: 32, exchange: chatExchange() } };
const ALL_LOADS: Loads = {
  ...CHAT_LOADS,
  asks: { callers: 32, exchange: conversationExchange(1), warmUpRequests: 5_000 },
};

const atLeast = (ratio: number) => ({ of: "ratio", atLeast: ratio }) as const;
const atMost = (ratio: number) => ({ of: "ratio", atMost: ratio }) as const;

async function compareStores(context: Context, clusters: Clusters): Promise<Row[]> {
  const measured = await measureSides(context, {
    file: async () => sideOf(context, [await context.workshop.startOurs()], ALL_LOADS),
    postgres: async () => sideOf(context, [await clusters.startOnPostgres()], ALL_LOADS),
    [AGAIN]: async () => sideOf(context, [await clusters.startOnPostgres()], ALL_LOADS),
  });
  return Object.keys(ALL_LOADS).flatMap((load) =>
    rowsOf(measured, {
      ...{ scenario: `${load}, PostgreSQL / file`, base: "file", value: "postgres", load, unit: "ask" },
      metrics: ["perSecond", "cpuMicros", "p50Ms", "residentMb"],
      same: { of: "postgres", again: AGAIN },
      ...(load === "chat" ? { goals: { perSecond: atLeast(0.85) } } : {}),
    }),
  );
}

async function compareNodes(context: Context, clusters: Clusters): Promise<Row[]> {
  const measured = await measureSides(context, {
    database: async () => sideOf(context, [await clusters.startOnPostgres()], CHAT_LOADS),
    alone: async () => sideOf(context, await clusters.startNodes(1), CHAT_LOADS),
    [AGAIN]: async () => sideOf(context, await clusters.startNodes(1), CHAT_LOADS),
    two: async () => sideOf(context, await clusters.startNodes(2), CHAT_LOADS),
  });
  const same = { of: "alone", again: AGAIN };
  const table = { load: "chat", unit: "ask", metrics: ["perSecond", "cpuMicros", "p50Ms"], same } as const;
  const goals = { perSecond: atLeast(0.95), cpuMicros: atMost(1.05) };
  return [
    ...rowsOf(measured, { ...table, scenario: "two nodes / one", base: "alone", value: "two", goals }),
    ...rowsOf(measured, { ...table, scenario: "two nodes / no NATS", base: "database", value: "two" }),
    ...rowsOf(measured, { ...table, scenario: "one node / no NATS", base: "database", value: "alone" }),
  ];
}

/** One caller whose agent is at the same node, or at another one. */
async function compareHomes(context: Context, clusters: Clusters): Promise<Row[]> {
  const loads: Loads = {
    whole: { callers: 1, exchange: chatExchange(), warmUpRequests: 10_000 },
    streamed: { callers: 1, exchange: streamExchange({ deltas: 4, unit: "stream" }), warmUpRequests: 3_000 },
  };
  const measured = await measureSides(context, {
    local: async () => sideOf(context, await clusters.startNodes(2), loads),
    cross: async () => sideOf(context, await clusters.startNodes(2), loads, 1),
    [AGAIN]: async () => sideOf(context, await clusters.startNodes(2), loads, 1),
  });
  const table = { base: "local", value: "cross", unit: "ask", same: { of: "cross", again: AGAIN } };
  return [
    ...rowsOf(measured, {
      ...{ ...table, scenario: "agent at the other node, 1 caller", load: "whole" },
      metrics: ["p50Ms", "cpuMicros"],
    }),
    ...rowsOf(measured, {
      ...{ ...table, scenario: "the same, streamed", load: "streamed" },
      metrics: ["firstP50Ms", "p50Ms"],
    }),
  ];
}

export const DATABASE: Scenario = {
  name: "database",
  about: "32 callers at a server with PostgreSQL instead of the file",
  sets: [],
  run: (context) => withClusters(context, (clusters) => compareStores(context, clusters)),
};

export const NODES: Scenario = {
  name: "nodes",
  about: "32 callers at a node with the agents, alone and beside another node, and without NATS",
  sets: [],
  run: (context) => withClusters(context, (clusters) => compareNodes(context, clusters)),
};

export const CROSS_NODE: Scenario = {
  name: "cross-node",
  about: "1 caller whose agent is at the other of two nodes, compared with the same node",
  sets: [],
  run: (context) => withClusters(context, (clusters) => compareHomes(context, clusters)),
};
