import type { Caller } from "../../../auth/callers.ts";
import { AppError } from "../../../errors.ts";
import { offeredName, otherName } from "../../../protocol/model-name.ts";
import type { Relay } from "../../../relay/relay.ts";

/** Other names for models: a name for callers, and the name that agents know. */
export type ModelAliases = Readonly<Record<string, string>>;

/** The sources of the names of models. */
export interface ModelNames {
  relay: Pick<Relay, "offersModel" | "knowsModel">;
  /** Its values may be replaced while the server runs. */
  settings: { readonly modelAliases: ModelAliases };
}

/** Returns the name that agents know a model by. By Ollama's rule `name` and `name:latest` are the same. */
export function resolveModel(name: string, { relay, settings }: ModelNames): string {
  const { modelAliases } = settings;
  const aliased = (given: string) => (Object.hasOwn(modelAliases, given) ? modelAliases[given] : undefined);
  const other = relay.knowsModel(name) ? undefined : otherName(name);
  return offeredName(aliased(name) ?? (other && aliased(other)) ?? name, relay);
}

/** Returns the models that the caller may use, by the names that agents know; undefined means all. */
export function allowedModels({ allowance }: Caller, names: ModelNames): readonly string[] | undefined {
  return allowance?.models?.map((name) => resolveModel(name, names));
}

/**
 * Whether a user with these models may go on using a model, by the name that agents knew when the ask came.
 * That may have been the other one of two names, as the offers of agents change.
 */
export function mayStillUse(models: readonly string[] | null, model: string, names: ModelNames): boolean {
  const same = [model, otherName(model)];
  return models?.some((name) => same.includes(resolveModel(name, names))) ?? true;
}

/** Throws `model_not_allowed` if `model` is not one of `models`, both by the names that agents know. */
export function checkAllowed(model: string, models: readonly string[] | undefined): void {
  if (!models || models.includes(model)) return;
  const hint = `The models you may use: ${models.join(", ")}.`;
  throw new AppError("model_not_allowed", { param: "model", hint });
}
