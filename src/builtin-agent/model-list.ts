import { field, parseJson } from "../json/parse.ts";
import { Model } from "../protocol/agent-v2.ts";

/** As many as a hello may have. */
const MODELS_MAX = 1000;

/**
 * The models in the answer to `GET /models`; undefined where it is none. What has no usable id is left out.
 * vLLM tells the length of the context as `max_model_len`, others as `context_length`.
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
