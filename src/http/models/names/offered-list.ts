import type { Caller } from "../../../auth/callers.ts";
import type { OfferedModel } from "../../../relay/offers/offered-model.ts";
import type { Relay } from "../../../relay/relay.ts";
import { askPolicyOf } from "../../ask-context.ts";
import { allowedModels, type ModelNames, resolveModel } from "./allowed-models.ts";

export interface ModelListDeps extends ModelNames {
  relay: ModelNames["relay"] & Pick<Relay, "models">;
}

/**
 * Returns the models that agents offer and the caller may use, and the aliases of these. An alias with the name of a model
 * hides that model, so each name is in the list once.
 */
export function listModels(deps: ModelListDeps, caller: Caller): OfferedModel[] {
  const { modelAliases } = deps.settings;
  const offered = offeredTo(deps, caller);
  const aliases = Object.keys(modelAliases).flatMap((id) => {
    const target = resolveModel(id, deps);
    const model = offered.find((candidate) => candidate.id === target);
    return model ? [{ ...model, id }] : [];
  });
  return [...offered.filter(({ id }) => !Object.hasOwn(modelAliases, id)), ...aliases];
}

/** Returns one of these models by either of its names; undefined if it is none of them. */
export function findModel(deps: ModelListDeps, caller: Caller, name: string): OfferedModel | undefined {
  const named = (models: readonly OfferedModel[], id: string) =>
    models.find((candidate) => candidate.id === id);
  return named(listModels(deps, caller), name) ?? named(offeredTo(deps, caller), resolveModel(name, deps));
}

function offeredTo(deps: ModelListDeps, caller: Caller): OfferedModel[] {
  const allowed = allowedModels(caller, deps);
  const all = deps.relay.models(askPolicyOf(caller).tags);
  return all.filter(({ id }) => allowed?.includes(id) ?? true);
}
