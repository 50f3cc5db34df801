import { z } from "zod";
import { AppError } from "../../errors.ts";
import type { OfferedModel } from "../../relay/offers/offered-model.ts";
import { anthropicStyle } from "../errors/anthropic.ts";
import { openaiStyle } from "../errors/openai.ts";
import { ok, resource, route } from "../route.ts";
import { count, namedObject, SAMPLE, text } from "../values.ts";
import { AnthropicModel, AnthropicModelList, anthropicModel, anthropicModels } from "./lists/anthropic.ts";
import { CODEX_QUERY, CodexModelList, codexModels } from "./lists/codex.ts";
import { inputKinds } from "./lists/input-kinds.ts";
import { findModel, listModels, type ModelListDeps } from "./names/offered-list.ts";
import { availableModels } from "./names/unknown-model.ts";

const length = count.optional();
const ModelEntry = namedObject("Model", {
  id: text,
  object: z.literal("model"),
  created: count,
  owned_by: text,
  /** The context length, if agents report it, under the names by which OpenRouter, Groq and vLLM tell it. */
  context_length: length,
  context_window: length,
  max_model_len: length,
  /** Whether an agent has the model in memory; missing if none tells. */
  loaded: z.boolean().optional(),
  /** The abilities of the model in Ollama's words, such as `tools` and `vision`; missing if no agent tells them. */
  capabilities: z.array(text).optional(),
  /** The kinds of input, as OpenRouter tells them; missing if no agent tells. */
  architecture: namedObject("ModelArchitecture", { input_modalities: z.array(text) }).optional(),
});
const ModelList = namedObject("ModelList", { object: z.literal("list"), data: z.array(ModelEntry) });

const MODEL = {
  id: SAMPLE.model,
  object: "model",
  created: 1763885414,
  owned_by: "agent",
  loaded: true,
} as const;

/** Anthropic's clients send this header with every request, and expect Anthropic's shapes. */
const ANTHROPIC_HEADER = "anthropic-version";
const forAnthropic = { header: ANTHROPIC_HEADER, style: anthropicStyle };
const FOR_ANTHROPIC =
  "A request with the header `anthropic-version` gets the shape of Anthropic's API, errors included.";

const FOR_CODEX =
  "A request with `client_version` in the query gets the shape of Codex, without the models of OpenAI, which Codex knows.";

const ROUTES = {
  listModels: route("GET /v1/models", {
    access: "caller",
    style: openaiStyle,
    headerStyle: forAnthropic,
    summary: "List the models that the agents offer, and their aliases",
    description: `Only those that the caller may use, and all of them at once. ${FOR_ANTHROPIC} ${FOR_CODEX}`,
    query: z.object({
      [CODEX_QUERY]: text.optional().describe("Codex's version, which gets Codex's shape."),
    }),
    answers: ok("The models.", z.union([ModelList, AnthropicModelList, CodexModelList]), {
      object: "list",
      data: [MODEL],
    }),
  }),
  readModel: route("GET /v1/models/:id{.+}", {
    access: "caller",
    style: openaiStyle,
    headerStyle: forAnthropic,
    summary: "Read one model",
    description: FOR_ANTHROPIC,
    params: { id: "The model's name, which may contain slashes." },
    answers: ok("The model.", z.union([ModelEntry, AnthropicModel]), MODEL),
    errors: ["model_not_found"],
  }),
};

/**
 * The models that the agents offer, and their aliases: https://platform.openai.com/docs/api-reference/models.
 */
export const modelListRoutes = resource("Models", ROUTES).handledBy((deps: ModelListDeps) => ({
  listModels({ exchange: { request }, caller, query }) {
    const models = listModels(deps, caller);
    if (query[CODEX_QUERY] !== undefined) return { models: codexModels(models) };
    if (!request.headers.has(ANTHROPIC_HEADER))
      return { object: "list" as const, data: models.map(openaiModel) };
    return anthropicModels(models);
  },

  readModel({ exchange: { request }, caller, params: { id } }) {
    const model = findModel(deps, caller, id);
    if (!model) {
      const known = listModels(deps, caller).map((one) => one.id);
      // Without any there is nothing to say: the agents may yet come.
      throw new AppError("model_not_found", {
        param: "model",
        ...(known.length > 0 && { hint: availableModels(known) }),
      });
    }
    return request.headers.has(ANTHROPIC_HEADER) ? anthropicModel(model) : openaiModel(model);
  },
}));

function openaiModel(model: OfferedModel) {
  const { id, owned_by, offeredAt, context_length: length, loaded, capabilities } = model;
  const kinds = inputKinds(model);
  return {
    id,
    object: "model" as const,
    created: Math.floor(offeredAt / 1000),
    owned_by: owned_by ?? "agent",
    ...(length !== undefined && { context_length: length, context_window: length, max_model_len: length }),
    ...(loaded !== undefined && { loaded }),
    ...(capabilities !== undefined && { capabilities: [...capabilities] }),
    ...(kinds && { architecture: { input_modalities: kinds } }),
  };
}
