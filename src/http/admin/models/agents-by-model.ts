import type { AgentAnswer } from "../schema.ts";
import type { AdminModel, ModelAgent, ModelAgentState } from "./schema.ts";

/** The agents that offer a model. */
export interface OfferingAgents {
  counts: AdminModel["agents"];
  agents: ModelAgent[];
  lastError: AdminModel["last_error"];
}

interface Wanted {
  /** The number of agents that are listed with a model; undefined for all. */
  listedMax?: number;
  /** The only model; undefined for all. */
  only?: string;
}

/** Those whose state calls for attention come first. */
const RANKS: Record<ModelAgentState, number> = {
  ...{ failing: 0, slow: 1, full: 2, paused: 3, draining: 4, ready: 5 },
};

export const NO_AGENTS: OfferingAgents = { counts: emptyCounts(), agents: [], lastError: null };

/**
 * Returns the agents of each model that one of them offers. Those that fail come first. A thousand agents may offer a
 * hundred models each, so only what is listed is sorted.
 */
export function agentsByModel(rows: Iterable<AgentAnswer>, wanted: Wanted = {}): Map<string, OfferingAgents> {
  const found = new Map<string, OfferingAgents>();
  for (const row of rows) {
    const loaded = row.loaded_models && new Set(row.loaded_models);
    // Nearly every agent is the same for all of its models.
    const common = row.circuits.length === 0 ? healthFor(row, undefined) : undefined;
    for (const model of modelsOf(row, wanted)) {
      const offering = found.getOrInsertComputed(model, createOffering);
      const isLoaded = loaded?.has(model) ?? null;
      add(offering, row, { ...(common ?? healthFor(row, model)), isLoaded }, wanted.listedMax);
    }
  }
  if (wanted.listedMax === undefined) for (const { agents } of found.values()) agents.sort(compare);
  return found;
}

function modelsOf({ models }: AgentAnswer, { only }: Wanted): Iterable<string> {
  if (only === undefined) return new Set(models);
  return models.includes(only) ? [only] : [];
}

function createOffering(): OfferingAgents {
  return { counts: emptyCounts(), agents: [], lastError: null };
}

function emptyCounts(): AdminModel["agents"] {
  return { total: 0, ready: 0, full: 0, slow: 0, failing: 0, paused: 0, draining: 0, loaded: null };
}

/** How an agent is for a model. */
interface Health {
  state: ModelAgentState;
  failure: { reason: string; at: string } | undefined;
}

/** `model` may be undefined for an agent without circuits. */
function healthFor(row: AgentAnswer, model: string | undefined): Health {
  const circuit = row.circuits.find((candidate) => candidate.model === model);
  const { failing_since, last_error } = row.recent ?? {};
  const last = failing_since ? (last_error ?? undefined) : undefined;
  return {
    state: stateFor(row, circuit !== undefined && circuit.state !== "closed"),
    failure: circuit ? { reason: circuit.reason, at: circuit.failed_at } : last,
  };
}

/** An agent that fails most of its latest requests fails for each of its models, as in the list of the agents. */
function stateFor(
  { draining, paused, recent, in_use, slots }: AgentAnswer,
  isBlocked: boolean,
): ModelAgentState {
  if (draining) return "draining";
  if (paused) return "paused";
  if (isBlocked || recent?.failing_since) return "failing";
  if (recent?.is_slow) return "slow";
  return in_use >= slots ? "full" : "ready";
}

function add(
  offering: OfferingAgents,
  { id, name, node }: AgentAnswer,
  { state, failure, isLoaded }: Health & { isLoaded: boolean | null },
  listedMax: number | undefined,
): void {
  const { counts, agents } = offering;
  counts.total++;
  counts[state]++;
  if (isLoaded !== null) counts.loaded = (counts.loaded ?? 0) + Number(isLoaded);
  if (failure && failure.at > (offering.lastError?.at ?? ""))
    offering.lastError = { agent: { id, name }, ...failure };
  const last = agents.at(-1);
  if (listedMax !== undefined && agents.length >= listedMax && last && compare(last, { state, name }) <= 0)
    return;
  const reason = state === "failing" ? (failure?.reason ?? null) : null;
  const agent = { id, name, ...(node !== undefined && { node }), state, loaded: isLoaded, reason };
  if (listedMax === undefined) agents.push(agent);
  else insert(agents, agent, listedMax);
}

/** Inserts the agent at its place in the list, which is short. */
function insert(agents: ModelAgent[], agent: ModelAgent, listedMax: number): void {
  const place = agents.findIndex((other) => compare(agent, other) < 0);
  agents.splice(place < 0 ? agents.length : place, 0, agent);
  if (agents.length > listedMax) agents.pop();
}

type Placed = Pick<ModelAgent, "state" | "name">;

function compare(one: Placed, other: Placed): number {
  const difference = RANKS[one.state] - RANKS[other.state];
  if (difference !== 0) return difference;
  return one.name < other.name ? -1 : Number(one.name > other.name);
}
