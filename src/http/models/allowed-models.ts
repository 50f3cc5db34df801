import type { Caller } from "../../auth/callers.ts";
import { AppError } from "../../errors.ts";
import { field } from "../../json/parse.ts";

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

/** The fields by which OpenRouter and LiteLLM take further models, which they try when the first one fails. */
const FALLBACK_LISTS = ["models", "fallbacks"];

/**
 * Throws `model_not_allowed` if the request may fall back on a model that is not one of `models`. The upstream
 * gets these lists unchanged, so aliases do not count, and neither does an entry that is not a name.
 */
export function checkFallbacks(json: unknown, models: readonly string[] | undefined): void {
  if (!models) return;
  for (const param of FALLBACK_LISTS) {
    const list = field(json, param) ?? [];
    const isAllowed = (name: unknown) => typeof name === "string" && models.includes(name);
    if (Array.isArray(list) && list.every(isAllowed)) continue;
    const hint = `\`${param}\` must be an array of the names of models you may use: ${models.join(", ")}.`;
    throw new AppError("model_not_allowed", { param, hint });
  }
}
