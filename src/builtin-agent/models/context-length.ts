import { field, textField } from "../../json/parse.ts";
import { Model } from "../../protocol/agent-v2.ts";
import { listField, type NativeApi } from "./native-api.ts";
import { OllamaShown } from "./ollama-shown.ts";

const isLength = Model.shape.context_length;

/** Returns the first of these values that can be a context length. */
function firstLength(...values: unknown[]): number | undefined {
  return values.map((value) => isLength.safeParse(value).data).find((length) => length !== undefined);
}

/**
 * Returns the context length in an entry of a list of models, under whichever name: `max_model_len` (vLLM,
 * SGLang), `context_window` (Groq), `max_context_length` (Mistral, LM Studio), `max_input_tokens` (Anthropic),
 * `context_length` (OpenRouter, Together and others), or in the `meta` of llama.cpp. The length that a model
 * is loaded with comes before the one that it was trained with.
 */
export function contextLengthOf(entry: unknown): number | undefined {
  const meta = field(entry, "meta");
  return firstLength(
    field(entry, "loaded_context_length"),
    field(entry, "context_length"),
    field(entry, "max_model_len"),
    field(entry, "context_window"),
    field(entry, "max_context_length"),
    field(entry, "max_input_tokens"),
    field(meta, "n_ctx"),
    field(meta, "n_ctx_train"),
  );
}

type Lengths = Map<string, number>;

/**
 * Looks up the context lengths that a list of models lacks, on the own APIs of llama.cpp, LM Studio and Ollama.
 * Each is recognized by the owner that its models have, so other upstreams get no such request.
 */
export class ContextLengths {
  constructor(private readonly shown: OllamaShown = new OllamaShown()) {}

  /** Returns the models with the context lengths that could be found. */
  async add(api: NativeApi, models: readonly Model[]): Promise<Model[]> {
    const [llamaCpp, lmStudio, ollama] = await Promise.all([
      this.#llamaCpp(api, models),
      this.#lmStudio(api, models),
      this.#ollama(api, models),
    ]);
    return models.map((model) => {
      const { id } = model;
      const loaded = llamaCpp.get(id) ?? lmStudio.get(id);
      const length = loaded ?? model.context_length ?? ollama.get(id);
      return length === undefined ? model : { ...model, context_length: length };
    });
  }

  /** A server of llama.cpp with one model tells the length that it was started with. */
  async #llamaCpp(api: NativeApi, models: readonly Model[]): Promise<Lengths> {
    const [model] = models;
    if (models.length !== 1 || model?.owned_by !== "llamacpp") return new Map();
    const props = await api.get("/props");
    const length = firstLength(field(field(props, "default_generation_settings"), "n_ctx"));
    return new Map(length === undefined ? [] : [[model.id, length]]);
  }

  async #lmStudio(api: NativeApi, models: readonly Model[]): Promise<Lengths> {
    if (!models.some(({ owned_by }) => owned_by === "organization_owner")) return new Map();
    const found = listField(await api.get("/api/v0/models"), "data");
    return lengthsOf(found, "id");
  }

  async #ollama(api: NativeApi, models: readonly Model[]): Promise<Lengths> {
    const own = models.filter(({ context_length }) => context_length === undefined);
    if (!own.some(({ owned_by }) => owned_by === "library")) return new Map();
    const loaded = lengthsOf(listField(await api.get("/api/ps"), "models"), "name");
    await this.shown.look(
      api,
      own.map(({ id }) => id),
    );
    const lengths: Lengths = new Map();
    for (const { id } of own) {
      const length = loaded.get(id) ?? firstLength(...(this.shown.get(id)?.lengths ?? []));
      if (length !== undefined) lengths.set(id, length);
    }
    return lengths;
  }
}

function lengthsOf(entries: unknown[] = [], idName: string): Lengths {
  const pairs = entries.flatMap((entry): [string, number][] => {
    const [id, length] = [textField(entry, idName), contextLengthOf(entry)];
    return id === undefined || length === undefined ? [] : [[id, length]];
  });
  return new Map(pairs);
}
