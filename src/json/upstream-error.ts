import { field, parseBoundedJson, textField } from "./parse.ts";

/** The failure that the body of an upstream's answer tells. */
export interface UpstreamReason {
  /** The reason in the upstream's words, on one line; undefined if the body has none. */
  message: string | undefined;
  type: string | undefined;
  code: string | undefined;
  /** The HTTP status that the body names, if it names one. */
  status: number | undefined;
}

const REASON_LENGTH_MAX = 1000;
/** The longest type or code of an error. */
const NAME_LENGTH_MAX = 256;
/** No reason is looked for behind this part of a text that is not JSON. */
const TEXT_LENGTH_MAX = 64 * 1024;
const DEPTH_MAX = 5;
const LIST_MAX = 5;

/**
 * The fields in which servers put the reason, in order: `error` as an object (OpenAI, Anthropic) or a text (Ollama),
 * `message` (vLLM, Mistral, AWS), `detail` as a text or a list (FastAPI), `base_resp` (MiniMax), and what gateways
 * use.
 */
const REASON_KEYS = [
  ...["error", "message", "detail", "msg", "errors", "error_description", "error_message", "error_msg"],
  ...["reason", "description", "title", "base_resp", "status_msg"],
];

/** Texts that a fault in the upstream leaves where a reason should be. */
const NOT_A_REASON = /^(undefined|null|none|nan|true|false|error|\[object object\]|\{\}|\[\])?$/i;

/** Reads the reason from the body of an answer that is an error, whatever its shape. */
export function readUpstreamError(body: string): UpstreamReason {
  const value = parseBoundedJson(dataOf(body));
  if (value === undefined) {
    const message = oneLine(pageText(body.slice(0, TEXT_LENGTH_MAX)));
    return { message, type: undefined, code: undefined, status: undefined };
  }
  const holder = errorObjectIn(value);
  const type = nameOf(field(holder, "type"));
  const code = nameOf(field(holder, "code"));
  const message = reasonOf(value) ?? code ?? type;
  return { message, type, code, status: statusIn(holder) ?? statusIn(value) };
}

/** Returns the data of the first server-sent event, as some upstreams answer a request to stream; else the text. */
function dataOf(body: string): string {
  return /^(?:event:[^\n]*\n)?data:([^\n]*)/.exec(body)?.[1] ?? body;
}

/** Returns the reason in a JSON value that reports an error, on one line; undefined if it has none. */
export function reasonOf(value: unknown): string | undefined {
  return oneLine(textIn(value, DEPTH_MAX) ?? "");
}

/**
 * Returns the text on one line of bounded length, without control characters and marks that change the
 * direction of text; undefined for a text that says nothing.
 */
export function oneLine(text: string): string | undefined {
  const clean = text
    .slice(0, TEXT_LENGTH_MAX)
    .toWellFormed()
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\s]+/gu, " ")
    .trim();
  if (NOT_A_REASON.test(clean)) return undefined;
  return clean.length > REASON_LENGTH_MAX
    ? `${clean.slice(0, REASON_LENGTH_MAX - 1).toWellFormed()}…`
    : clean;
}

/** The fields that only a good answer has: of chats, messages, responses, embeddings and token counts. */
const RESULTS = ["output", "data", "embeddings", "input_tokens"];
const RESULT_NAMES = /"(choices|content|output|data|embeddings|input_tokens)"\s*:(?!\s*null)/;
/** Does not match within a quoted text, where the quotes are escaped. */
const ERROR_NAME = /"error"\s*:\s*[[{"]/;

/** Returns the failure that the body of a 2xx reports, as some upstreams do; undefined for a good answer. */
export function errorInGoodStatus(body: string): UpstreamReason | undefined {
  // Parsing a large answer for nothing would be slow.
  if (RESULT_NAMES.test(body) && !ERROR_NAME.test(body)) return undefined;
  const value = parseBoundedJson(body);
  if (typeof value !== "object" || value === null || hasResult(value)) return undefined;
  // A type or a code alone is in good answers too. An error without a reason is still an error.
  return reasonOf(value) === undefined && !field(value, "error") ? undefined : readUpstreamError(body);
}

function hasResult(value: object): boolean {
  const choices = field(value, "choices");
  if (Array.isArray(choices) && choices.length > 0) return true;
  // Each line of an answer of Ollama's API has it.
  if (typeof field(value, "done") === "boolean" && !field(value, "error")) return true;
  return field(value, "content") != null || RESULTS.some((name) => field(value, name) !== undefined);
}

/**
 * A refusal of the agent's own key, in words or in a code. Words such as `api_key` have underscores, which
 * `\b` takes for letters.
 */
const ABOUT_KEY =
  /(?<![a-z])((api|access|secret|subscription)?[\s_-]?keys?|(access|auth|bearer|invalid|expired|missing)[\s_-]?tokens?|bearer|credentials?|permissions?|missing scopes?|(un)?authori[sz](ed|ation)|(un)?authenticat(ed|ion))(?![a-z])/i;

/** An account without money or quota, which some gateways report as 403. */
const ABOUT_MONEY =
  /(?<![a-z])(insufficient|balance|quota|billing|payment|arrears|overdue|arrearage|out of credits?)(?![a-z])|余额|额度|欠费/i;

/** Whether a 403 is a refusal of the agent's key or account, and not of the request. */
export function isAboutAccount({ message = "", type = "", code = "" }: UpstreamReason): boolean {
  const words = `${message} ${type} ${code}`;
  return ABOUT_KEY.test(words) || ABOUT_MONEY.test(words);
}

/** The 4xx that are not the request's fault. Clients retry them too, except 402: no money left. */
const NOT_OF_REQUEST = new Set([402, 408, 409, 425, 429]);

/** Stands for the reason of a failure that has none. */
export const NO_REASON = "it gave no reason";

/** How long an agent is avoided whose upstream has no money left (402). */
export const NO_MONEY_MS = 60_000;

/** Whether another agent may do better than the one whose upstream answered with this status. */
export function isRetryable(status: number): boolean {
  return status >= 500 || NOT_OF_REQUEST.has(status);
}

/** Returns the text that gives the reason, from wherever it is in the value. */
function textIn(value: unknown, depth: number): string | undefined {
  if (typeof value === "string") return oneLine(value);
  if (typeof value !== "object" || value === null || depth === 0) return undefined;
  if (Array.isArray(value)) {
    const texts = value.slice(0, LIST_MAX).flatMap((entry) => entryText(entry, depth - 1) ?? []);
    return texts.length > 0 ? texts.join("; ") : undefined;
  }
  const [first, second] = new Set(REASON_KEYS.flatMap((key) => textIn(field(value, key), depth - 1) ?? []));
  // `error` may be no more than the name of the status, as in `{"error":"Bad Request","message":…}`.
  const isName = typeof field(value, "error") === "string" && second !== undefined;
  const reason = isName ? `${first}: ${second}` : first;
  // OpenRouter's: the answer of the provider behind it.
  const raw = textField(field(value, "metadata"), "raw");
  const inner = raw === undefined ? undefined : readUpstreamError(raw).message;
  return reason !== undefined && inner !== undefined ? `${reason}: ${inner}` : reason;
}

/** Returns the text of an entry of a list. FastAPI's name the field in `loc`: `["body","messages"]`. */
function entryText(entry: unknown, depth: number): string | undefined {
  const text = textIn(entry, depth);
  const loc = field(entry, "loc");
  if (text === undefined || !Array.isArray(loc)) return text;
  const path = loc.filter((step) => typeof step === "string" || typeof step === "number").join(".");
  return path === "" ? text : `${path}: ${text}`;
}

/** Returns the object that has the type and the code of the error: `error`, or the value itself. */
function errorObjectIn(value: unknown): unknown {
  const whole = Array.isArray(value) ? value[0] : value;
  const error = field(whole, "error");
  return typeof error === "object" && error !== null ? error : whole;
}

function nameOf(value: unknown): string | undefined {
  const name = typeof value === "string" ? oneLine(value)?.slice(0, NAME_LENGTH_MAX) : undefined;
  return name === "" ? undefined : name;
}

/** Returns the status of an error that an upstream reports in a body: `code` of OpenRouter and Google. */
function statusIn(holder: unknown): number | undefined {
  for (const name of ["status", "code", "status_code", "statusCode"]) {
    const status = Number(field(holder, name));
    if (Number.isInteger(status) && status >= 400 && status <= 599) return status;
  }
  return undefined;
}

const ENTITIES: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'", nbsp: " " };

/** Returns the title of an HTML page, or else its text; any other text unchanged. */
function pageText(text: string): string {
  if (!/^\s*<(!doctype|html|head|title|body|h\d|p|div|center|pre)\b/i.test(text)) return text;
  // Only of ASCII letters, so that the positions are the same.
  const lower = text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
  const inner = between(text, lower, "title") || between(text, lower, "h1");
  const plain = inner || text.replace(/<(script|style)\b[^<>]*>[^<]*<\/\1>/gi, " ");
  return plain
    .replace(/<[^<>]*>/g, " ")
    .replace(/&(amp|lt|gt|quot|#39|nbsp);/g, (entity, name: string) => ENTITIES[name] ?? entity);
}

/** Returns the text within the first element of this name; empty without one. */
function between(text: string, lower: string, name: string): string {
  const open = lower.indexOf(`<${name}`);
  const start = open < 0 ? -1 : lower.indexOf(">", open) + 1;
  const end = start <= 0 ? -1 : lower.indexOf(`</${name}`, start);
  return end < 0 ? "" : text.slice(start, end);
}
