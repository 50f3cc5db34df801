import { z } from "zod";
import type { Caller } from "../../auth/callers.ts";
import { AppError } from "../../errors.ts";
import type { Relay } from "../../relay/relay.ts";
import { openaiStyle } from "../errors/openai.ts";
import { ok, resource, route } from "../route.ts";
import { count, namedObject, SAMPLE, text } from "../values.ts";
import { allowedModels, type ModelAliases } from "./allowed-models.ts";

const ModelEntry = namedObject("Model", {
  id: text,
  object: z.literal("model"),
  created: count,
  owned_by: text,
});
const ModelList = namedObject("ModelList", { object: z.literal("list"), data: z.array(ModelEntry) });

const MODEL = { id: SAMPLE.model, object: "model", created: 1763885414, owned_by: "agent" } as const;

const ROUTES = {
  listModels: route("GET /v1/models", {
    access: "caller",
    style: openaiStyle,
    summary: "List the models that the agents offer, and their aliases",
    description: "Only those that the caller may use.",
    answers: ok("The models.", ModelList, { object: "list", data: [MODEL] }),
  }),
  readModel: route("GET /v1/models/:id{.+}", {
    access: "caller",
    style: openaiStyle,
    summary: "Read one model",
    params: { id: "The model's name, which may contain slashes." },
    answers: ok("The model.", ModelEntry, MODEL),
    errors: ["model_not_found"],
  }),
};

interface ModelListDeps {
  relay: Pick<Relay, "models">;
  modelAliases: ModelAliases;
}

/**
 * The models that the agents offer, and their aliases: https://platform.openai.com/docs/api-reference/models.
 */
export const modelListRoutes = resource("Models", ROUTES).handledBy((deps: ModelListDeps) => ({
  listModels: ({ caller }) => ({ object: "list" as const, data: listModels(deps, caller) }),

  readModel({ caller, params: { id } }) {
    const model = listModels(deps, caller).find((candidate) => candidate.id === id);
    if (!model) throw new AppError("model_not_found", { param: "model" });
    return model;
  },
}));

/** Returns the models that the caller may use. */
function listModels({ relay, modelAliases }: ModelListDeps, caller: Caller) {
  const allowed = allowedModels(caller, modelAliases);
  const models = relay.models().filter(({ id }) => allowed?.includes(id) ?? true);
  const offered = models.map(({ id, owned_by, offeredAt }) => ({
    id,
    object: "model" as const,
    created: Math.floor(offeredAt / 1000),
    owned_by: owned_by ?? "agent",
  }));
  const aliases = Object.entries(modelAliases).flatMap(([id, target]) => {
    const model = offered.find((candidate) => candidate.id === target);
    return model ? [{ ...model, id }] : [];
  });
  return [...offered, ...aliases];
}
