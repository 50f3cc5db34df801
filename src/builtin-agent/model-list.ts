import { field, parseJson } from "../json/parse.ts";
import { Model } from "../protocol/agent-v2.ts";

/** A hello may not have more. */
const MODELS_MAX = 1000;

/**
 * Returns the models in the response to `GET /models`; undefined if it is not a list. Leaves out models
 * without a usable id. vLLM names the context length `max_model_len`, others `context_length`.
 */
export function readModelList(text: string): Model[] | undefined {
  const data = field(parseJson(text), "data");
  if (!Array.isArray(data)) return undefined;
  const models = new Map<string, Model>();
  for (const entry of data) {
    const model = readModel(entry);
    if (model && models.size < MODELS_MAX) models.set(model.id, model);
  }
  return [...models.values()];
}

function readModel(entry: unknown): Model | undefined {
  const id = Model.shape.id.safeParse(field(entry, "id")).data;
  if (id === undefined) return undefined;
  const ownedBy = Model.shape.owned_by.safeParse(field(entry, "owned_by")).data;
  const length = field(entry, "context_length") ?? field(entry, "max_model_len");
  const contextLength = Model.shape.context_length.safeParse(length).data;
  return {
    id,
    ...(ownedBy !== undefined && { owned_by: ownedBy }),
    ...(contextLength !== undefined && { context_length: contextLength }),
  };
}
