import { field, parseBoundedJson, textField } from "../json/parse.ts";
import { readUpstreamError } from "../json/upstream-error.ts";

/**
 * The fields of a chat completion that the server adds to a request of its own accord, or that are its words for
 * what a caller of another API said, and the lists of further models, which the server itself uses. Some upstreams refuse the whole request because of one of them. The server
 * then takes the field back. `tools.strict` is the field `strict` somewhere inside `tools`.
 */
export const ADDED_FIELDS = [
  ...[
    "stream_options",
    "stream",
    "max_tokens",
    "parallel_tool_calls",
    "reasoning_effort",
    "verbosity",
    "user",
  ],
  ...["tools.strict", "response_format.strict", "messages.reasoning_content"],
  ...["models", "fallbacks"],
] as const;
export type AddedField = (typeof ADDED_FIELDS)[number];

/** Whether an answer with this status may be the refusal of a field. */
export const mayRefuseField = (status: number): boolean => status === 400 || status === 422;

/** The bodies of longer answers are not searched. */
const BODY_LENGTH_MAX = 1024 * 1024;
const DEPTH_MAX = 6;
const LIST_MAX = 200;

/** Returns those of the added fields that an upstream's error names as the reason for its refusal. */
export function refusedFields(body: string, added: readonly AddedField[]): AddedField[] {
  if (added.length === 0 || body.length > BODY_LENGTH_MAX) return [];
  const paths = pathsIn(parseBoundedJson(body), DEPTH_MAX);
  const { message = "", type = "", code = "" } = readUpstreamError(body);
  // A list of what is allowed names other fields too.
  const [text = ""] = message.split(LIST_OF_ALLOWED);
  const isUnsupported = UNSUPPORTED.test(`${text} ${type} ${code}`);
  // A path tells which field is meant, words may fit several.
  const byPath = added.filter((name) => paths.some((path) => isAt(path, name)));
  const named = byPath.length > 0 ? byPath : added.filter((name) => isNamed(text, name, isUnsupported));
  // Only an upstream that does not know `max_tokens` knows the other name for it.
  const isLength = isUnsupported && !ABOUT_VALUE.test(text);
  return named.filter((name) => name !== "max_tokens" || isLength);
}

const LIST_OF_ALLOWED =
  /\b(?:expected one of|must be one of|(?:allowed|supported|valid|known|permitted) (?:fields|parameters|arguments|keys|values|properties))\b/i;

const UNSUPPORTED =
  /unsupported|unknown|unrecogni[sz]ed|unexpected|forbidden|deprecated|\binstead\b|\bextra\b|\badditional propert|cannot find field|\bno (?:such|longer)\b|\bnot (?:be )?(?:supported|permitted|allowed|accepted|recogni[sz]ed|known|valid)|\b(?:does|do)(?: not|n't) (?:support|accept|allow|exist)|\binvalid (?:parameter|argument|field|key|property)/i;

const ABOUT_VALUE =
  /\btoo (?:large|small|big|high|low|long)\b|\bat (?:most|least)\b|exceed|greater|less than|\bm(?:ax|in)imum\b|\brange\b/i;

/** Names that have no underscore are also ordinary words, and count only where a field is meant. */
function isNamed(text: string, field: AddedField, isUnsupported: boolean): boolean {
  const name = field.slice(field.indexOf(".") + 1);
  const inText = NAMED[name] ?? new RegExp(`(?<!\\w)${name.replaceAll("_", "[_ ]")}(?!\\w)`, "i");
  NAMED[name] ??= inText;
  return inText.test(text) && (isUnsupported || name.includes("_"));
}

const asField = (name: string): RegExp =>
  new RegExp(
    `^${name}: |(?:["'\`“‘]|\\b(?:parameter|argument|field|property|key|option|supplied|body)s?\\W{1,3}|function\\.)${name}(?![\\w.[-])|[:,] ?${name}(?=,|\\.?$)`,
    "i",
  );

/** How texts name the fields, by their last names. The others are made when they are needed. */
const NAMED: Record<string, RegExp> = {
  stream_options: /(?<!\w)(?:stream_options|include_usage)(?!\w)/,
  max_tokens: /(?<!\w)max_tokens(?!\w)/,
  stream: asField("stream"),
  verbosity: asField("verbosity"),
  user: asField("user"),
  models: asField("models"),
  fallbacks: asField("fallbacks"),
  strict: asField("strict"),
};

type Path = readonly string[];

/** Whether a path such as `["tools", "0", "function", "strict"]` is that of the field. */
function isAt(path: Path, added: AddedField): boolean {
  const [container, inner] = added.split(".");
  return path[0] === container && (inner === undefined || path.at(-1) === inner);
}

/** The names under which errors hold the path of a field, and those under which they hold further errors. */
const PATH_NAMES = ["param", "loc", "field", "path"];
const ERROR_NAMES = ["error", "errors", "detail", "details", "message", "fieldViolations", "metadata", "raw"];

/** Returns the paths of the fields that an error names: `param` (OpenAI), `loc` (FastAPI) and others. */
function pathsIn(value: unknown, depth: number): Path[] {
  if (depth === 0) return [];
  // Gateways quote the error of the provider behind them.
  if (typeof value === "string")
    return /^\s*[[{]/.test(value) ? pathsIn(parseBoundedJson(value), depth - 1) : [];
  // Each further step would look for the names in every field that is not there.
  if (typeof value !== "object" || value === null) return [];
  if (Array.isArray(value)) return value.slice(0, LIST_MAX).flatMap((entry) => pathsIn(entry, depth - 1));
  const own = PATH_NAMES.map((name) => textField(value, name)?.split(/[.[\]]+/) ?? field(value, name));
  const paths = own.flatMap((steps) => (Array.isArray(steps) ? [pathOf(steps)] : []));
  return [...paths, ...ERROR_NAMES.flatMap((name) => pathsIn(field(value, name), depth - 1))];
}

/** Returns the path inside the body. */
function pathOf(steps: readonly unknown[]): Path {
  const path = steps.slice(0, LIST_MAX).flatMap((step) => (step === "" ? [] : [String(step)]));
  return path[0] === "body" || path[0] === "$" ? path.slice(1) : path;
}
