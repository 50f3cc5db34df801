import type { Model } from "../../protocol/agent-v2.ts";
import type { Hub } from "../hub.ts";

/** A model that an agent offers now. */
export interface OfferedModel extends Pick<Model, "id" | "owned_by"> {
  /** The least that an agent reports. Any of the agents may get the ask. */
  context_length?: number | undefined;
  /** Whether an agent has it in memory; undefined if none tells. */
  loaded?: boolean | undefined;
  /** When it was first offered, in milliseconds since 1970. */
  offeredAt: number;
}

/** Returns the models that the agents with a tag of each list offer, sorted by name. */
export function offeredModels(
  { agents, models: book }: Pick<Hub, "agents" | "models">,
  tags: readonly (readonly string[])[],
): OfferedModel[] {
  const models = new Map<string, OfferedModel>();
  for (const agent of agents.values()) if (agent.hasTags(tags)) addAll(models, agent.offer.models, book);
  return [...models.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}

function addAll(models: Map<string, OfferedModel>, offered: readonly Model[], book: Hub["models"]): void {
  for (const { id, owned_by, context_length: length, loaded } of offered) {
    const offeredAt = book.since(id) ?? 0;
    const model: OfferedModel = models.getOrInsertComputed(id, () => ({ id, owned_by, offeredAt }));
    if (length !== undefined)
      model.context_length = Math.min(length, model.context_length ?? Number.POSITIVE_INFINITY);
    if (loaded !== undefined) model.loaded = loaded || model.loaded === true;
  }
}
