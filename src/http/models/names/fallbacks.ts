import { AppError } from "../../../errors.ts";
import { removeField } from "../../../json/edit.ts";
import { field } from "../../../json/parse.ts";
import type { Endpoint } from "../../../protocol/agent-v2.ts";
import { otherName } from "../../../protocol/model-name.ts";
import { type ModelNames, resolveModel } from "./allowed-models.ts";

/** The names of the models to use when a model cannot answer, in order, by the name of that model. */
export type Fallbacks = Readonly<Record<string, readonly string[]>>;

/** The sources of the names of models and of their fallbacks. */
export interface FallbackNames extends ModelNames {
  settings: ModelNames["settings"] & { readonly fallbacks: Fallbacks };
}

/** The fields by which OpenRouter and LiteLLM take further models, which they try when the first one fails. */
export const FALLBACK_LISTS = ["models", "fallbacks"] as const;

/** LiteLLM's other lists, which the server has no use for. A LiteLLM uses the models that they name. */
const OTHER_LISTS = [
  ...["context_window_fallbacks", "content_policy_fallbacks", "context_window_fallback_dict"],
] as const;

const FALLBACKS_MAX = 16;

/**
 * The endpoints whose requests may be answered by another model. The vectors of two embedding models cannot be
 * compared, and models count tokens in different ways.
 */
const WITH_FALLBACKS: ReadonlySet<Endpoint> = new Set([
  ...(["chat/completions", "completions", "responses", "messages", "api/chat", "api/generate"] as const),
]);

/**
 * Returns whether an upstream may get the request's lists of further models as they are. It may use any model that
 * they name, and knows no aliases. Throws `model_not_allowed` if an entry is not the name of one of `models`, or if
 * there is a list that the server does not read.
 */
export function checkFallbacks(
  json: unknown,
  models: readonly string[] | undefined,
  names: ModelNames,
): boolean {
  if (!models) return true;
  const other = OTHER_LISTS.find((param) => (field(json, param) ?? undefined) !== undefined);
  if (other !== undefined) {
    const hint = `Leave out \`${other}\`, or name fallbacks in \`fallbacks\`. The models you may use: ${models.join(", ")}.`;
    throw new AppError("model_not_allowed", { param: other, hint });
  }
  let isPassedOn = true;
  for (const param of FALLBACK_LISTS) {
    const list = field(json, param) ?? [];
    const isAllowed = (name: unknown) => isName(name) && models.includes(resolveModel(name, names));
    if (!Array.isArray(list) || !list.every(isAllowed)) {
      const hint = `\`${param}\` must be an array of the names of models you may use: ${models.join(", ")}.`;
      throw new AppError("model_not_allowed", { param, hint });
    }
    isPassedOn &&= list.every((name) => models.includes(name));
  }
  return isPassedOn;
}

/** Returns the names that the lists of a request have, in their order; none for an endpoint without fallbacks. */
export function requestedFallbacks(endpoint: Endpoint, json: unknown): string[] {
  if (!WITH_FALLBACKS.has(endpoint)) return [];
  return FALLBACK_LISTS.flatMap((param) => {
    const list = field(json, param);
    return Array.isArray(list) ? list.filter(isName) : [];
  });
}

/** Returns the fallbacks that the operator has set for a model, by its alias, its name or its other name. */
export function configuredFallbacks(
  endpoint: Endpoint,
  name: string,
  names: FallbackNames,
): readonly string[] {
  if (!WITH_FALLBACKS.has(endpoint)) return [];
  const { fallbacks } = names.settings;
  const model = resolveModel(name, names);
  const set = [name, model, otherName(model)].find(
    (key) => key !== undefined && Object.hasOwn(fallbacks, key),
  );
  return (set !== undefined && fallbacks[set]) || [];
}

/**
 * Returns the models that may answer, each once, by the names that agents know: the one asked for and the first of
 * its fallbacks. Leaves out those that no agent has ever offered, and fallbacks that are not one of `allowed`.
 */
export function modelsToTry(
  asked: string,
  fallbacks: Iterable<string>,
  allowed: readonly string[] | undefined,
  names: ModelNames,
): string[] {
  const model = resolveModel(asked, names);
  const found = new Set<string>();
  if (names.relay.knowsModel(model)) found.add(model);
  let left = FALLBACKS_MAX;
  for (const name of fallbacks) {
    const fallback = resolveModel(name, names);
    if (fallback === model || found.has(fallback) || !names.relay.knowsModel(fallback)) continue;
    if (allowed?.includes(fallback) === false) continue;
    found.add(fallback);
    if (--left === 0) break;
  }
  return [...found];
}

/** The field of a list of further models. */
export type FallbackList = (typeof FALLBACK_LISTS)[number];

/** Returns the lists that an upstream may refuse, as the server itself goes through them. */
export function ownLists(endpoint: Endpoint, lists: readonly FallbackList[]): readonly FallbackList[] {
  return WITH_FALLBACKS.has(endpoint) ? lists : [];
}

/** Returns the body without these lists. `text` must be a valid JSON object. */
export function withoutLists(text: string, lists: readonly FallbackList[]): string {
  return lists.reduce<string>(removeField, text);
}

const isName = (value: unknown): value is string => typeof value === "string";
