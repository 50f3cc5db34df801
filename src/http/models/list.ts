import { z } from "zod";
import { AppError } from "../../errors.ts";
import type { OfferedModel } from "../../relay/offers/offered-model.ts";
import { anthropicStyle } from "../errors/anthropic.ts";
import { openaiStyle } from "../errors/openai.ts";
import { ok, resource, route } from "../route.ts";
import { count, namedObject, SAMPLE, text, time } from "../values.ts";
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

/** A model in the shape of https://platform.claude.com/docs/en/api/models-list. */
const AnthropicModel = namedObject("AnthropicModel", {
  type: z.literal("model"),
  id: text,
  display_name: text,
  created_at: time,
  /** The context length, if agents report it. */
  max_input_tokens: count.nullable(),
  max_tokens: z.null(),
  capabilities: z.null(),
  lifecycle: z.literal("active"),
  line: z.null(),
  deprecated_at: z.null(),
  retires_at: z.null(),
});
const AnthropicModelList = namedObject("AnthropicModelList", {
  data: z.array(AnthropicModel),
  has_more: z.literal(false),
  first_id: text.nullable(),
  last_id: text.nullable(),
});

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
    const [first_id = null, last_id = null] = [models[0]?.id, models.at(-1)?.id];
    return { data: models.map(anthropicModel), has_more: false as const, first_id, last_id };
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

/** The display name is the id, because agents report no other name. What agents do not report is null. */
function anthropicModel({ id, offeredAt, context_length }: OfferedModel) {
  return {
    type: "model" as const,
    id,
    display_name: id,
    created_at: new Date(offeredAt).toISOString(),
    max_input_tokens: context_length ?? null,
    lifecycle: "active" as const,
    ...{ max_tokens: null, capabilities: null, line: null, deprecated_at: null, retires_at: null },
  };
}
