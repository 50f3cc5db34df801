import type { OfferedModel } from "../../../relay/offers/offered-model.ts";
import { inputKinds } from "../../models/lists/input-kinds.ts";
import { resolveModel } from "../../models/names/allowed-models.ts";
import { configuredFallbacks, type FallbackNames } from "../../models/names/fallbacks.ts";
import { Tally } from "../../traffic/tally.ts";
import type { AgentAnswer } from "../schema.ts";
import { agentsByModel, NO_AGENTS } from "./agents-by-model.ts";
import type { AdminModel } from "./schema.ts";

/** A request that waits. */
export interface Waiting {
  model: string | null;
  waited_ms: number;
}

/** The state of all models and agents, and the requests for them. */
export interface ModelFacts {
  names: FallbackNames;
  offered: readonly OfferedModel[];
  agents: Iterable<AgentAnswer>;
  waiting: readonly Waiting[];
  /** The requests that ended, and those that were refused as no agent had offered their model, by the model. */
  ended: ReadonlyMap<string, Tally>;
  refused: ReadonlyMap<string, Tally>;
}

/** The agents that are listed with each of many models. */
const AGENTS_LISTED = 5;

/**
 * Returns the models that agents offer, and those that were asked for, sorted by name. With `only` it returns only the
 * model of this name, if there is one, with all of its agents.
 */
export function describeModels(facts: ModelFacts, only?: string): AdminModel[] {
  const { names, ended, refused } = facts;
  const offered = new Map(facts.offered.map((model) => [model.id, model]));
  const agents = agentsByModel(facts.agents, only === undefined ? { listedMax: AGENTS_LISTED } : { only });
  const queues = queuesByModel(facts.waiting);
  const aliases = aliasesByModel(names);
  const total = [...ended.values()].reduce((sum, { asks }) => sum + asks, 0);
  // An empty name stands for models beyond those that are counted one by one.
  const ids = new Set(
    [...offered, ...agents, ...queues, ...ended, ...refused].map(([id]) => id).filter(Boolean),
  );
  const shown = only === undefined ? [...ids].sort() : [only].filter((id) => ids.has(id));
  return shown.map((id) => {
    const { counts, agents: list, lastError } = agents.get(id) ?? NO_AGENTS;
    return {
      ...{ id, ...offerOf(offered.get(id)), aliases: aliases.get(id) ?? [], ...namesOf(id, names) },
      agents: counts,
      agent_list: list,
      last_error: lastError,
      requests: requestsOf(ended.get(id), refused.get(id), total),
      queue: queues.get(id) ?? { waiting: 0, oldest_wait_ms: null },
    };
  });
}

function offerOf(model: OfferedModel | undefined) {
  return {
    offered_since: model ? new Date(model.offeredAt).toISOString() : null,
    owned_by: model?.owned_by ?? null,
    context_length: model?.context_length ?? null,
    input_modalities: (model && inputKinds(model)) ?? null,
    capabilities: model?.capabilities ? [...model.capabilities] : null,
  };
}

function namesOf(id: string, names: FallbackNames) {
  const { modelAliases } = names.settings;
  return {
    replaced_by: Object.hasOwn(modelAliases, id) ? (modelAliases[id] ?? null) : null,
    fallbacks: [...configuredFallbacks("chat/completions", id, names)],
  };
}

function aliasesByModel(names: FallbackNames): Map<string, string[]> {
  const aliases = new Map<string, string[]>();
  for (const alias of Object.keys(names.settings.modelAliases).sort())
    aliases.getOrInsertComputed(resolveModel(alias, names), () => []).push(alias);
  return aliases;
}

function queuesByModel(waiting: readonly Waiting[]): Map<string, AdminModel["queue"]> {
  const queues = new Map<string, AdminModel["queue"]>();
  for (const { model, waited_ms } of waiting) {
    if (model === null) continue;
    const queue = queues.getOrInsertComputed(model, () => ({ waiting: 0, oldest_wait_ms: null }));
    queue.waiting++;
    queue.oldest_wait_ms = Math.max(queue.oldest_wait_ms ?? 0, waited_ms);
  }
  return queues;
}

const NONE = new Tally();

function requestsOf(ended = NONE, refused = NONE, total: number): AdminModel["requests"] {
  const { asks, failed, firstByte, tokensPerSecond } = ended;
  return {
    ...{ asks, failed, share: total > 0 ? Math.round((asks * 10_000) / total) / 10_000 : null },
    refused: refused.asks,
    first_byte_ms_p50: firstByte.quantile(0.5),
    first_byte_ms_p95: firstByte.quantile(0.95),
    tokens_per_second: tokensPerSecond,
  };
}
