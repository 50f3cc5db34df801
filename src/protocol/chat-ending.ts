import { field, textField } from "../json/parse.ts";
import { reasonOf } from "../json/upstream-error.ts";

/** The failure that an upstream reports. */
export type Failure = { message: string; type?: string | null | undefined; code?: unknown };

const NO_REASON = "The upstream failed and gave no reason.";

/**
 * Returns the failure that an upstream reports in place of an answer or of a chunk, beside its choices, or
 * inside the first of them; undefined if it reports none. OpenRouter sends an `error` beside the choices of a
 * last chunk (https://openrouter.ai/docs/api-reference/errors) and inside a choice of a whole answer. vLLM and
 * SGLang have sent an object of the type `error`.
 */
export function failureOf(value: unknown): Failure | undefined {
  // Gemini's API puts a failure into a list.
  if (Array.isArray(value)) return failureOf(value[0]);
  const own = errorOf(field(value, "error"));
  if (own) return own;
  if (field(value, "object") === "error" || field(value, "type") === "error") return errorOf(value);
  const choices = field(value, "choices");
  const choice: unknown = Array.isArray(choices) ? choices[0] : undefined;
  const inside =
    errorOf(field(choice, "error")) ??
    errorOf(field(field(choice, "message"), "error")) ??
    errorOf(field(field(choice, "delta"), "error"));
  return inside ?? (isErrorEnding(field(choice, "finish_reason")) ? { message: NO_REASON } : undefined);
}

const isErrorEnding = (reason: unknown): boolean =>
  typeof reason === "string" && reason.toLowerCase() === "error";

function errorOf(error: unknown): Failure | undefined {
  if (error == null || error === false || error === "") return undefined;
  return {
    message: reasonOf(error) ?? NO_REASON,
    type: textField(error, "type"),
    code: field(error, "code"),
  };
}

/** The failure of an answer without any choice. It would look like one in which the model said nothing. */
export const NO_ANSWER = "The agent's upstream ended the answer before it began.";

/** Returns the failure in data that is not a chunk at all. */
export function strangeData(value: unknown): Failure {
  return { message: reasonOf(value) ?? "The agent's upstream sent something that is not a chat completion." };
}

/** The ends of an answer that a chat completion knows. */
export type Ending = "stop" | "length" | "content_filter" | "tool_calls";

/**
 * The finish reasons of OpenAI's chat completions, and what other upstreams say instead of them: TGI
 * (`eos_token`, `stop_sequence`), Mistral (`model_length`), and gateways before Anthropic and Gemini, which
 * pass the vendor's own word on.
 */
const ENDINGS: Record<string, Ending> = {
  stop: "stop",
  eos: "stop",
  eos_token: "stop",
  stop_sequence: "stop",
  end_turn: "stop",
  length: "length",
  max_tokens: "length",
  model_length: "length",
  content_filter: "content_filter",
  safety: "content_filter",
  refusal: "content_filter",
  tool_calls: "tool_calls",
  function_call: "tool_calls",
  tool_use: "tool_calls",
};

/**
 * Returns how an answer ended. An answer without a finish reason has ended with `stop`, as some upstreams
 * give none. A reason that is not known is undefined.
 */
export function endingOf(finishReason: string | null | undefined): Ending | undefined {
  if (!finishReason) return "stop";
  const reason = finishReason.toLowerCase();
  return Object.hasOwn(ENDINGS, reason) ? ENDINGS[reason] : undefined;
}

/**
 * Returns the failure of an answer whose finish reason is not known, such as `abort` (vLLM) or
 * `insufficient_system_resource` (DeepSeek). New reasons tell of new ways to be cut off. An answer that only
 * looks complete would be worse than an error, which clients report or try again.
 */
export function endingFault(finishReason: string | null | undefined): Failure | undefined {
  if (endingOf(finishReason)) return undefined;
  const reason = JSON.stringify(finishReason?.slice(0, 100));
  return {
    message: `The agent's upstream ended the answer with the finish reason ${reason}, so the answer may not be whole.`,
  };
}
