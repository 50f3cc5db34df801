import { searchable } from "../../../search-text.ts";
import type { AdminModel } from "../../api/types.ts";
import { compareNames, text } from "../../texts/texts.ts";

export interface ModelHealth {
  label: string;
  tone: "ok" | "warn" | "bad" | "accent";
  /** The agent that fails, and why; null if none does. */
  reason: string | null;
}

/** Returns the state of a model in one or two words. */
export function healthOf({ agents, last_error: last }: AdminModel): ModelHealth {
  const { total, ready, failing, slow, full, paused } = agents;
  const reason = failing > 0 && last ? `${last.agent.name || last.agent.id}: ${last.reason}` : null;
  if (total === 0) return { label: text("models.state.missing"), tone: "bad", reason };
  if (failing === total) return { label: text("models.state.failing"), tone: "bad", reason };
  if (failing > 0) return { label: text("models.state.partlyFailing"), tone: "warn", reason };
  if (ready > 0) return { label: text("models.state.ready"), tone: "ok", reason };
  if (slow > 0) return { label: text("models.state.slow"), tone: "warn", reason };
  if (full > 0) return { label: text("models.state.full"), tone: "accent", reason };
  return { label: text(paused > 0 ? "models.state.paused" : "models.state.draining"), tone: "warn", reason };
}

export const MODEL_FILTERS = [
  { value: "all", label: text("models.filter.all") },
  { value: "problems", label: text("models.filter.problems") },
  { value: "missing", label: text("models.filter.missing") },
  { value: "loaded", label: text("models.filter.loaded") },
  { value: "waiting", label: text("models.filter.waiting") },
] as const;
export type ModelFilter = (typeof MODEL_FILTERS)[number]["value"];

const MATCHES: Record<ModelFilter, (model: AdminModel) => boolean> = {
  all: () => true,
  problems: (model) => ["bad", "warn"].includes(healthOf(model).tone),
  missing: ({ agents }) => agents.total === 0,
  loaded: ({ agents }) => (agents.loaded ?? 0) > 0,
  waiting: ({ queue }) => queue.waiting > 0,
};

export const MODEL_ORDERS = [
  { value: "requests", label: text("models.order.requests") },
  { value: "name", label: text("models.order.name") },
  { value: "failed", label: text("models.order.failed") },
  { value: "slow", label: text("models.order.slow") },
  { value: "waiting", label: text("models.order.waiting") },
] as const;
export type ModelOrder = (typeof MODEL_ORDERS)[number]["value"];

/** Each number is larger for what comes first. */
const RANKS: Record<Exclude<ModelOrder, "name">, (model: AdminModel) => number> = {
  requests: ({ requests }) => requests.asks + requests.refused,
  failed: ({ requests }) => requests.failed + requests.refused,
  slow: ({ requests }) => requests.first_byte_ms_p95 ?? -1,
  waiting: ({ queue }) => queue.waiting,
};

/** The choices above the list of models. */
export interface ModelView {
  search: string;
  filter: ModelFilter;
  order: ModelOrder;
}

/** Returns the models that contain every word of the search and match the filter, in the order. */
export function selectModels(
  models: readonly AdminModel[],
  { search, filter, order }: ModelView,
): AdminModel[] {
  const words = searchable(search).split(/\s+/).filter(Boolean);
  const found = models.filter((model) => MATCHES[filter](model) && hasWords(model, words));
  return found.sort((a, b) => {
    const difference = order === "name" ? 0 : RANKS[order](b) - RANKS[order](a);
    return difference || compareNames(a.id, b.id);
  });
}

function hasWords(model: AdminModel, words: readonly string[]): boolean {
  if (words.length === 0) return true;
  const { id, aliases, owned_by, agent_list, input_modalities, capabilities } = model;
  const agents = agent_list.flatMap((agent) => [agent.name, agent.id]);
  const all = [id, ...aliases, owned_by, ...agents, ...(input_modalities ?? []), ...(capabilities ?? [])];
  const found = searchable([...all, healthOf(model).label].join("\n"));
  return words.every((word) => found.includes(word));
}
