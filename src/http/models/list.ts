import type { Hono } from "hono";
import type { Caller } from "../../auth/callers.ts";
import { AppError } from "../../errors.ts";
import { type HttpContext, type HttpDeps, type HttpEnv, json } from "../context.ts";
import { allowedModels } from "./allowed-models.ts";
import type { ModelObject } from "./schema.ts";

/** What agents offer, with the aliases: https://platform.openai.com/docs/api-reference/models. */
export function modelRoutes(app: Hono<HttpEnv>, deps: HttpDeps): void {
  const identify = async (c: HttpContext) => {
    const caller = await deps.callers.identify(c.req.raw.headers);
    c.set("principal", caller.principal);
    return caller;
  };

  app.get("/v1/models", async (c) => {
    return json({ object: "list", data: listModels(deps, await identify(c)) });
  });

  // Names may have slashes in them.
  app.get("/v1/models/:id{.+}", async (c) => {
    const caller = await identify(c);
    const id = c.req.param("id");
    const model = listModels(deps, caller).find((candidate) => candidate.id === id);
    if (!model) throw new AppError("model_not_found", { param: "model" });
    return json(model);
  });
}

/** Only what the caller may use. */
function listModels({ relay, modelAliases }: HttpDeps, caller: Caller): ModelObject[] {
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
