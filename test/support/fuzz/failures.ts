import type { Random } from "../random.ts";
import type { Json, ModelOutput } from "./answers.ts";
import { choicesOf, dropCallName, endIndex } from "./json-changes.ts";

/** A line of a stream: the data of an event, and the event's name. */
export interface Line {
  data: string;
  event?: string;
}

const WHY = "The GPU is on fire.";

/** The shapes in which upstreams tell errors. */
export const ERROR_BODIES: readonly unknown[] = [
  { error: { message: WHY, type: "server_error", param: null, code: null } },
  { error: { message: WHY, type: "overloaded_error", code: "overheated" } },
  { error: WHY },
  { error: { message: "Unknown fields: 'stream_options', 'max_tokens' and 'stream'", code: 400 } },
  { error: { message: WHY, code: 502, metadata: { provider_name: "x", raw: "{}" } } },
  [{ error: { code: 500, message: WHY, status: "INTERNAL" } }],
  { object: "error", message: WHY, type: "InternalServerError", param: null, code: 500 },
  { type: "error", error: { type: "api_error", message: WHY } },
  { error: { message: "undefined" } },
  { error: { message: null } },
  { error: { message: { detail: [{ msg: WHY }] } } },
  { error: { message: "[object Object]", code: "null" } },
  { error: {} },
  { error: true },
  { error: { message: `${WHY}\n\u0000\u202e\ud800${"x".repeat(3000)}` } },
];

/** Bodies of errors that come with an error status, or in the place of an answer. */
export const ERROR_TEXTS: readonly string[] = [
  ...ERROR_BODIES.map((body) => JSON.stringify(body)),
  JSON.stringify({ detail: WHY }),
  JSON.stringify({ detail: [{ type: "missing", loc: ["body", "messages", 0], msg: "Field required" }] }),
  JSON.stringify({ message: WHY }),
  JSON.stringify({ errors: [{ title: "Bad", detail: WHY }] }),
  JSON.stringify({ code: 40001, msg: WHY, success: false }),
  "<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>",
  "upstream connect error or disconnect/reset before headers",
];

export interface FailureResult {
  lines: Line[];
  /** Whether a caller of the upstream's own API sees the failure in the stream, which is passed on. */
  isSeenNatively: boolean;
  /** Whether the stream ends by itself after these lines, with `[DONE]` if there is one. */
  isCut?: boolean;
}

const lineOf = (value: unknown): Line => ({ data: JSON.stringify(value) });

type Failure = (
  chunks: Json[],
  random: Random,
  output: ModelOutput,
) => (FailureResult & { spares?: "ask" }) | undefined;

/** Ways in which a stream fails, after which no answer may look whole. */
export const STREAM_FAILURES: Record<string, Failure> = {
  "an error in place of a chunk": (chunks, random) => {
    const at = random.below(Math.max(endIndex(chunks), 0) + 1);
    const error = { ...lineOf(random.pick(ERROR_BODIES)), ...(random.below(3) === 0 && { event: "error" }) };
    const rest = random.below(2) === 0 ? [] : chunks.slice(at);
    return { lines: [...chunks.slice(0, at).map(lineOf), error, ...rest.map(lineOf)], isSeenNatively: true };
  },
  "an error beside or inside a choice": (chunks, random) => {
    const chunk = chunks[random.below(Math.max(endIndex(chunks), 0) + 1)];
    const [choice] = chunk ? choicesOf(chunk) : [];
    if (!chunk || !choice) return undefined;
    const place = random.pick([chunk, choice]);
    place["error"] = random.pick<unknown>([{ message: WHY, code: 502 }, WHY]);
    return { lines: chunks.map(lineOf), isSeenNatively: true };
  },
  "an unknown finish reason": (chunks, random) => {
    const [choice] = choicesOf(chunks[endIndex(chunks)] ?? {});
    if (!choice) return undefined;
    const reasons = [
      "error",
      "abort",
      "insufficient_system_resource",
      "MALFORMED_FUNCTION_CALL",
      "network_error",
      "x".repeat(5000),
    ];
    choice["finish_reason"] = random.pick(reasons);
    return { lines: chunks.map(lineOf), isSeenNatively: false };
  },
  "data that is not a chunk": (chunks, random) => {
    const at = random.below(Math.max(endIndex(chunks), 0) + 1);
    const data = random.pick([
      '{"choices":[',
      "Internal Server Error",
      "{}",
      "7",
      '"x"',
      "{'a':1}",
      "undefined",
      "{\u0000}",
    ]);
    const lines = chunks.map(lineOf);
    return { lines: [...lines.slice(0, at), { data }, ...lines.slice(at)], isSeenNatively: false };
  },
  "a call without a name": (chunks, _, output) =>
    dropCallName(chunks, output)
      ? { lines: chunks.map(lineOf), isSeenNatively: false, spares: "ask" }
      : undefined,
  "nothing but the end": (chunks) => {
    const lines = chunks.filter((chunk) => choicesOf(chunk).length === 0).map(lineOf);
    return { lines, isSeenNatively: false };
  },
  "an early end": (chunks, random) => {
    const end = endIndex(chunks);
    const at = end < 1 ? 0 : random.below(end + 1);
    return { lines: chunks.slice(0, at).map(lineOf), isSeenNatively: true, isCut: true };
  },
};
