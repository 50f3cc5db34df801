import { field, textField } from "../../json/parse.ts";
import { Model } from "../../protocol/agent-v2.ts";
import { detailsOf, type ModelDetails } from "../../protocol/model-details.ts";
import { listField, type NativeApi } from "./native-api.ts";
import type { OllamaShown } from "./ollama-shown.ts";

/** The words of upstreams for capabilities that Ollama names otherwise. */
const CAPABILITY_NAMES: ReadonlyMap<unknown, string> = new Map([
  ["tool_use", "tools"],
  ["function_calling", "tools"],
  ["multimodal", "vision"],
  ["reasoning", "thinking"],
  ["embeddings", "embedding"],
]);

/**
 * Returns the details in an entry of a list of models: in the `meta` of llama.cpp, and in the list `capabilities` that
 * some servers have.
 */
export function detailsIn(entry: unknown): ModelDetails {
  const meta = field(entry, "meta");
  return readDetails({
    size: field(meta, "size"),
    parameter_size: parameterSize(field(meta, "n_params")),
    capabilities: field(entry, "capabilities"),
  });
}

/**
 * Returns the models with the details that Ollama and LM Studio tell on their own APIs. Each is recognized by the owner
 * that its models have, so other upstreams get no such request.
 */
export async function withDetails(
  api: NativeApi,
  models: readonly Model[],
  shown: OllamaShown,
): Promise<Model[]> {
  const hasOwner = (owner: string) => models.some(({ owned_by }) => owned_by === owner);
  const found = new Map<string, ModelDetails>();
  if (hasOwner("library"))
    for (const entry of listField(await api.get("/api/tags"), "models") ?? []) {
      const id = textField(entry, "name") ?? "";
      found.set(id, ollamaDetails(entry, shown.get(id)?.capabilities));
    }
  if (hasOwner("organization_owner"))
    for (const entry of listField(await api.get("/api/v0/models"), "data") ?? [])
      found.set(textField(entry, "id") ?? "", lmStudioDetails(entry));
  return models.map((model) => ({ ...model, ...found.get(model.id) }));
}

/** Reads an entry of https://docs.ollama.com/api/tags. */
function ollamaDetails(entry: unknown, capabilities: unknown): ModelDetails {
  const details = field(entry, "details");
  return readDetails({
    size: field(entry, "size"),
    family: field(details, "family"),
    parameter_size: field(details, "parameter_size"),
    quantization: field(details, "quantization_level"),
    capabilities: field(entry, "capabilities") ?? capabilities,
  });
}

const LM_STUDIO_TYPES: Readonly<Record<string, readonly string[]>> = {
  llm: ["completion"],
  vlm: ["completion", "vision"],
  embeddings: ["embedding"],
};

/** Reads an entry of https://lmstudio.ai/docs/developer/rest/endpoints#get-apiv0models. */
function lmStudioDetails(entry: unknown): ModelDetails {
  const ofType = LM_STUDIO_TYPES[textField(entry, "type") ?? ""];
  const own = field(entry, "capabilities");
  return readDetails({
    family: field(entry, "arch"),
    quantization: field(entry, "quantization"),
    capabilities: ofType && [...ofType, ...(Array.isArray(own) ? own : [])],
  });
}

/** Returns those of the details that are valid. */
function readDetails(given: Partial<Record<keyof ModelDetails, unknown>>): ModelDetails {
  const { shape } = Model;
  return detailsOf({
    size: shape.size.safeParse(given.size).data,
    family: shape.family.safeParse(given.family).data,
    parameter_size: shape.parameter_size.safeParse(given.parameter_size).data,
    quantization: shape.quantization.safeParse(given.quantization).data,
    capabilities: shape.capabilities.safeParse(capabilityNames(given.capabilities)).data,
  });
}

function capabilityNames(given: unknown): unknown {
  if (!Array.isArray(given) || given.length === 0) return undefined;
  return [...new Set(given.map((name) => CAPABILITY_NAMES.get(name) ?? name))];
}

const STEPS = [
  { from: 1e9, unit: "B" },
  { from: 1e6, unit: "M" },
  { from: 1e3, unit: "K" },
];

/** Returns a number of parameters as Ollama writes it, such as `3.2B`. */
function parameterSize(count: unknown): string | undefined {
  if (typeof count !== "number" || !Number.isFinite(count)) return undefined;
  const step = STEPS.find(({ from }) => count >= from);
  return step && `${Math.round((count / step.from) * 10) / 10}${step.unit}`;
}
