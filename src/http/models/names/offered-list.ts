import type { Caller } from "../../../auth/callers.ts";
import type { OfferedModel } from "../../../relay/offers/offered-model.ts";
import type { Relay } from "../../../relay/relay.ts";
import { askPolicyOf } from "../../ask-context.ts";
import { allowedModels, type ModelNames, resolveModel } from "./allowed-models.ts";

export interface ModelListDeps extends ModelNames {
  relay: ModelNames["relay"] & Pick<Relay, "models">;
}

/** Returns the models that agents offer and the caller may use, and the aliases of these. */
export function listModels(deps: ModelListDeps, caller: Caller): OfferedModel[] {
  const { relay, settings } = deps;
  const allowed = allowedModels(caller, deps);
  const offered = relay.models(askPolicyOf(caller).tags).filter(({ id }) => allowed?.includes(id) ?? true);
  const aliases = Object.keys(settings.modelAliases).flatMap((id) => {
    const target = resolveModel(id, deps);
    const model = offered.find((candidate) => candidate.id === target);
    return model ? [{ ...model, id }] : [];
  });
  return [...offered, ...aliases];
}

/** Returns one of these models by either of its names; undefined if it is none of them. */
export function findModel(deps: ModelListDeps, caller: Caller, name: string): OfferedModel | undefined {
  const models = listModels(deps, caller);
  const named = (id: string) => models.find((candidate) => candidate.id === id);
  return named(name) ?? named(resolveModel(name, deps));
}
