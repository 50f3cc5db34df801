import { AppError } from "../../errors.ts";
import { field } from "../../json/parse.ts";

/** Compares as upstreams may that ignore the case of a key: see `clear-entries.ts`. */
const MODEL_KEY = /^model$/iu;

/** The key `model` in the text of a body, also with letters that are written as escapes. */
const MODEL_IN_TEXT = /"(?:m|\\u006[dD])(?:o|\\u006[fF])(?:d|\\u0064)(?:e|\\u0065)(?:l|\\u006[cC])"\s*:/g;

interface ToolModel {
  path: string;
  value: unknown;
}

/**
 * Returns the error `model_not_allowed` if a tool that the vendor runs names a model that is not one of `models`:
 * OpenAI's `image_generation` and Anthropic's `advisor` call a model of their own. An upstream gets the tools of a
 * native request unchanged, so aliases do not count; a translation leaves such tools out. `text` is the body, of
 * which `json` is the value.
 */
export function toolModelFault(
  text: string,
  json: unknown,
  models: readonly string[] | undefined,
): AppError | undefined {
  if (!models) return undefined;
  const named = toolsIn(json).flatMap(modelsOf);
  const wrong = named.find(({ value }) => typeof value !== "string" || !models.includes(value));
  if (wrong) return notAllowed(wrong.path, models);
  // Parsers differ in which of two equal keys they read, so no `model` anywhere may be there twice.
  const isClear = !named[0] || text.match(MODEL_IN_TEXT)?.length === countModelKeys(json);
  return named[0] && !isClear ? notAllowed(named[0].path, models) : undefined;
}

function notAllowed(param: string, models: readonly string[]): AppError {
  const hint = `\`${param}\` must be there once, and name one of the models you may use: ${models.join(", ")}.`;
  return new AppError("model_not_allowed", { param, hint });
}

interface Placed {
  tool: unknown;
  path: string;
}

/** Returns all tools: those of the request, of its namespaces, of its input items, and of its messages. */
function toolsIn(json: unknown): Placed[] {
  const own = listOf(json, "tools", "");
  const inside = own.flatMap(({ tool, path }) => listOf(tool, "tools", `${path}.`));
  const items = listOf(json, "input", "").flatMap(({ tool: item, path }) =>
    listOf(item, "tools", `${path}.`),
  );
  const changes = listOf(json, "messages", "").flatMap(({ tool: message, path }) =>
    listOf(message, "content", `${path}.`).map(({ tool: block, path: at }) => ({
      tool: field(field(block, "tool"), "definition"),
      path: `${at}.tool.definition`,
    })),
  );
  return [...own, ...inside, ...items, ...changes];
}

function listOf(value: unknown, name: string, prefix: string): Placed[] {
  const list = field(value, name);
  return Array.isArray(list) ? list.map((tool, index) => ({ tool, path: `${prefix}${name}[${index}]` })) : [];
}

/** Returns the models that a tool names by its own fields. */
function modelsOf({ tool, path }: Placed): ToolModel[] {
  if (typeof tool !== "object" || tool === null) return [];
  return Object.entries(tool)
    .filter(([key]) => MODEL_KEY.test(key))
    .map(([key, value]) => ({ path: `${path}.model`, value: key === "model" ? value : undefined }));
}

function countModelKeys(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  const inner = Object.values(value).reduce<number>((sum, one) => sum + countModelKeys(one), 0);
  return inner + (!Array.isArray(value) && Object.hasOwn(value, "model") ? 1 : 0);
}
