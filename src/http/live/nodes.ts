import {
  ASKS_MAX,
  COUNT_FIELDS,
  LEVEL_FIELDS,
  MEDIAN_FIELDS,
  MODELS_COUNTED_MAX,
  type NodeOverview,
  type NodeSecond,
  SAMPLE_FIELDS,
} from "../../protocol/node/lists.ts";
import { firstFailing } from "./failing-agents.ts";
import type { LiveAsk, LiveNode, LiveSample, OverviewFigures } from "./schema.ts";

interface Node {
  readonly id: string;
  readonly name: string;
  readonly version: string;
  readonly draining: boolean;
}

interface Read {
  nodes: readonly { node: Node; overview: NodeOverview }[];
  /** The names of the nodes that send nothing. */
  missing: readonly string[];
}

/** The figures of the nodes of a cluster, as `ClusterFigures` has them. */
export interface NodeFigures {
  /** This node. */
  readonly self: Node;
  /** Whether another node wants the figures of this one. */
  readonly isWatched: boolean;
  /** Sends the second to the nodes that want it. */
  publish(second: NodeSecond): void;
  /** Keeps the other nodes sending their figures for some seconds. */
  watch(): void;
  /** Does the same. Resolves when they are here, or after a second. */
  watched(): Promise<void>;
  /** Returns the seconds that the other nodes have sent since the last call. */
  take(): NodeSecond[];
  /** Returns the figures of the other nodes up to the last call of `take`. */
  read(): Read;
}

/** The state of the agents and the queue of one node, or of several. */
type Pool = Pick<OverviewFigures, "now" | "ready" | "agents" | "slots" | "queue">;

/** Returns the overview of the whole cluster. What is not a number or a list is this node's. */
export function mergeOverviews(own: NodeOverview, self: Node, { nodes, missing }: Read): OverviewFigures {
  const overviews = [own, ...nodes.map(({ overview }) => overview)];
  return {
    ...own,
    ...mergePools(overviews),
    ...describeNodes(own, own.started_at, self, { nodes, missing }),
    models: mergeModels(overviews.map(({ models }) => models)),
    samples: mergeHistories(overviews.map(({ samples }) => samples)),
    asks: mergeAsks(overviews.map(({ asks }) => asks)),
  };
}

/** Returns the rows of the nodes, this one first. */
export function describeNodes(own: Pool, ownStartedAt: string, self: Node, { nodes, missing }: Read) {
  const others = nodes.map(({ node, overview }) => describeNode(node, overview, overview.started_at));
  return { nodes: [describeNode(self, own, ownStartedAt), ...others], missing_nodes: [...missing] };
}

function describeNode(node: Node, { now, ready, agents, slots, queue }: Pool, startedAt: string): LiveNode {
  const { id, name, version, draining } = node;
  // Both times are by the clock of that node.
  const uptime_ms = Math.max(0, Date.parse(now) - Date.parse(startedAt));
  return { id, name, version, uptime_ms, draining, ready, agents, slots, queue };
}

/** Returns the sums of the states of nodes. */
export function mergePools(pools: readonly Pool[]): Pick<Pool, "agents" | "slots" | "queue"> {
  const sum = (countOf: (pool: Pool) => number) => pools.reduce((all, pool) => all + countOf(pool), 0);
  const failing = firstFailing(pools.flatMap(({ agents }) => agents.failing ?? []));
  const waits = pools.flatMap(({ queue }) => queue.oldest_wait_ms ?? []);
  return {
    agents: {
      connected: sum(({ agents }) => agents.connected),
      accepting: sum(({ agents }) => agents.accepting),
      ...(failing && { failing }),
    },
    slots: { total: sum(({ slots }) => slots.total), in_use: sum(({ slots }) => slots.in_use) },
    queue: {
      length: sum(({ queue }) => queue.length),
      oldest_wait_ms: waits.length > 0 ? Math.max(...waits) : null,
    },
  };
}

/** Returns the models of all lists by name, with the number of agents at all nodes. */
export function mergeModels(lists: readonly OverviewFigures["models"][]): OverviewFigures["models"] {
  const counts = new Map<string, number>();
  for (const { id, agents } of lists.flat()) counts.set(id, (counts.get(id) ?? 0) + agents);
  return [...counts].map(([id, agents]) => ({ id, agents })).sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** Returns the requests of all lists that finished last, newest first, by the clocks of their nodes. */
export function mergeAsks(lists: readonly (readonly LiveAsk[])[]): LiveAsk[] {
  return lists
    .flat()
    .sort((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : 0))
    .slice(0, ASKS_MAX);
}

type Values = Omit<LiveSample, "at">;

/**
 * Returns the sample of the whole cluster: what happened at this node and in the `seconds` that others have sent since
 * the last sample, and the sums of the states. A node whose second is late has two in the next sample.
 */
export function mergeSamples(own: Values, seconds: readonly Values[], nodes: Read["nodes"]): Values {
  const merged = mergeValues([own, ...seconds]);
  for (const field of LEVEL_FIELDS)
    merged[field] = nodes.reduce((all, node) => all + (node.overview.samples[field].at(-1) ?? 0), own[field]);
  return merged;
}

function mergeValues(samples: readonly Values[]): Values {
  const merged = {} as Values;
  for (const field of [...COUNT_FIELDS, ...LEVEL_FIELDS])
    merged[field] = samples.reduce((all, sample) => all + sample[field], 0);
  for (const field of MEDIAN_FIELDS) merged[field] = medianOf(samples, field);
  return merged;
}

/** Returns the median of the nodes' medians, each of which counts as often as requests ended at its node. */
function medianOf(samples: readonly Values[], field: (typeof MEDIAN_FIELDS)[number]): number | null {
  const known = samples.flatMap((sample) => {
    const value = sample[field];
    return value === null ? [] : { value, weight: Math.max(1, sample.ok + sample.failed) };
  });
  known.sort((a, b) => a.value - b.value);
  const half = known.reduce((all, { weight }) => all + weight, 0) / 2;
  let passed = 0;
  for (const { value, weight } of known) {
    passed += weight;
    if (passed > half) return value;
  }
  return known.at(-1)?.value ?? null;
}

/** Returns the history of all nodes. Their last seconds are the same one, whatever their clocks say. */
function mergeHistories(histories: readonly OverviewFigures["samples"][]): OverviewFigures["samples"] {
  const [own] = histories;
  const length = Math.max(...histories.map(({ asks }) => asks.length));
  const merged = { ...own } as OverviewFigures["samples"];
  const end = Date.parse(merged.from) + merged.asks.length * merged.every_ms;
  merged.from = new Date(end - length * merged.every_ms).toISOString();
  const seconds = Array.from({ length }, (_, index) => mergeValues(secondsAt(histories, length - index)));
  for (const field of SAMPLE_FIELDS) merged[field] = seconds.map((second) => second[field]) as number[];
  return merged;
}

/** Returns the samples of the nodes that have one so many seconds before the end. */
function secondsAt(histories: readonly OverviewFigures["samples"][], beforeEnd: number): Values[] {
  return histories.flatMap((history) => {
    const at = history.asks.length - beforeEnd;
    if (at < 0) return [];
    return Object.fromEntries(SAMPLE_FIELDS.map((field) => [field, history[field][at] ?? null])) as Values;
  });
}

/** Returns the figures as other nodes accept them. */
export function boundModels<Figures extends { models?: OverviewFigures["models"] | undefined }>(
  figures: Figures,
): Figures {
  const { models } = figures;
  if (!models || models.length <= MODELS_COUNTED_MAX) return figures;
  return { ...figures, models: models.slice(0, MODELS_COUNTED_MAX) };
}
