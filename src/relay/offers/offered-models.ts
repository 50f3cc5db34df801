import type { Model } from "../../protocol/agent-v2.ts";
import { detailsOf, type ModelDetails } from "../../protocol/model-details.ts";
import type { Hub } from "../hub.ts";
import type { OfferedModel } from "./offered-model.ts";

/** Returns the models that the agents with a tag of each list offer, and those of other nodes, sorted by name. */
export function offeredModels(
  { agents, models: book }: Pick<Hub, "agents" | "models">,
  tags: readonly (readonly string[])[],
  elsewhere: Iterable<OfferedModel> = [],
): OfferedModel[] {
  const models = new Map<string, OfferedModel>();
  for (const agent of agents.values()) if (agent.hasTags(tags)) addAll(models, agent.offer.models, book);
  for (const model of elsewhere) addAll(models, [model], { since: () => model.offeredAt });
  return [...models.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}

function addAll(
  models: Map<string, OfferedModel>,
  offered: readonly Model[],
  book: Pick<Hub["models"], "since">,
): void {
  for (const entry of offered) {
    const { id, owned_by, context_length: length, loaded } = entry;
    const offeredAt = book.since(id) ?? 0;
    const model: OfferedModel = models.getOrInsertComputed(id, () => ({ id, owned_by, offeredAt }));
    if (length !== undefined)
      model.context_length = Math.min(length, model.context_length ?? Number.POSITIVE_INFINITY);
    if (loaded !== undefined) model.loaded = loaded || model.loaded === true;
    addDetails(model, entry);
  }
}

/** The details of the agent that tells them first count. A model can do what it can at every agent that tells it. */
function addDetails(model: OfferedModel, { capabilities, ...details }: ModelDetails): void {
  Object.assign(model, { ...detailsOf(details), ...detailsOf({ ...model, capabilities: undefined }) });
  if (capabilities === undefined) return;
  const known = model.capabilities;
  model.capabilities = known ? known.filter((name) => capabilities.includes(name)) : capabilities;
}
