import type { Caller } from "../../auth/callers.ts";
import { AppError } from "../../errors.ts";

/** Other names for models: a name for callers, and the name that agents know. */
export type ModelAliases = Readonly<Record<string, string>>;

/** Returns the name that agents know a model by. */
export function resolveModel(name: string, aliases: ModelAliases): string {
  return (Object.hasOwn(aliases, name) ? aliases[name] : undefined) ?? name;
}

/** Returns the models that the caller may use, by the names that agents know; undefined means all. */
export function allowedModels({ allowance }: Caller, aliases: ModelAliases): readonly string[] | undefined {
  return allowance?.models?.map((name) => resolveModel(name, aliases));
}

/** Throws `model_not_allowed` if `model` is not one of `models`, both by the names that agents know. */
export function checkAllowed(model: string, models: readonly string[] | undefined): void {
  if (!models || models.includes(model)) return;
  const hint = `The models you may use: ${models.join(", ")}.`;
  throw new AppError("model_not_allowed", { param: "model", hint });
}
