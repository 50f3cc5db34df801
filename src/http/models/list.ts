import { z } from "zod";
import type { Caller } from "../../auth/callers.ts";
import { AppError } from "../../errors.ts";
import type { Relay } from "../../relay/relay.ts";
import { openaiStyle } from "../errors/openai.ts";
import { ok, resource, route } from "../route.ts";
import { count, namedObject, SAMPLE, text } from "../values.ts";
import { allowedModels, type ModelNames, resolveModel } from "./allowed-models.ts";

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

interface ModelListDeps extends ModelNames {
  relay: ModelNames["relay"] & Pick<Relay, "models">;
}

/**
 * The models that the agents offer, and their aliases: https://platform.openai.com/docs/api-reference/models.
 */
export const modelListRoutes = resource("Models", ROUTES).handledBy((deps: ModelListDeps) => ({
  listModels: ({ caller }) => ({ object: "list" as const, data: listModels(deps, caller) }),

  readModel({ caller, params: { id } }) {
    const models = listModels(deps, caller);
    const named = (name: string) => models.find((candidate) => candidate.id === name);
    const model = named(id) ?? named(resolveModel(id, deps));
    if (!model) throw new AppError("model_not_found", { param: "model" });
    return model;
  },
}));

/** Returns the models that the caller may use. */
function listModels(deps: ModelListDeps, caller: Caller) {
  const { relay, modelAliases } = deps;
  const allowed = allowedModels(caller, deps);
  const models = relay.models().filter(({ id }) => allowed?.includes(id) ?? true);
  const offered = models.map(({ id, owned_by, offeredAt }) => ({
    id,
    object: "model" as const,
    created: Math.floor(offeredAt / 1000),
    owned_by: owned_by ?? "agent",
  }));
  const aliases = Object.keys(modelAliases).flatMap((id) => {
    const target = resolveModel(id, deps);
    const model = offered.find((candidate) => candidate.id === target);
    return model ? [{ ...model, id }] : [];
  });
  return [...offered, ...aliases];
}
