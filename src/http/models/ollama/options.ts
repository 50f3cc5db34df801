import type { AddedField } from "../../../protocol/added-fields.ts";
import { refuse } from "../refuse.ts";
import { withoutNulls } from "../translation.ts";
import type { ChatBody, Options } from "./schema.ts";

/**
 * An upstream may refuse these, and the answer is the same without them: the server added them, or they are hints that
 * Ollama takes with every model. `max_tokens` has another name.
 */
export const ADDED: readonly AddedField[] = [
  ...(["stream_options", "stream", "max_tokens", "reasoning_effort", "messages.reasoning_content"] as const),
];

/**
 * Returns the parameters of the model in the words of chat completions and completions.
 *
 * Left out are those on which no word of the answer depends (`num_ctx`, `num_gpu`, `num_thread` and the like, which
 * are settings of the upstream), those that belong to another one (`mirostat_tau`, `repeat_last_n`), and those that
 * Ollama itself ignores. vLLM and SGLang have another word for `repeat_penalty` than llama.cpp and LM Studio.
 */
export function parametersOf(options: Options | null | undefined): Record<string, unknown> {
  if (!options) return {};
  const { temperature, top_p, top_k, min_p, seed, stop, num_predict: limit } = options;
  refuseUnknown(options);
  const repeat = options.repeat_penalty === 1 ? null : options.repeat_penalty;
  return withoutNulls({
    ...{ temperature, top_p, top_k, min_p, seed },
    stop: stop?.length ? stop : null,
    // A limit below 1 stands for none. Ollama takes the whole part of a number.
    max_tokens: limit != null && limit >= 1 ? Math.trunc(limit) : null,
    presence_penalty: options.presence_penalty,
    frequency_penalty: options.frequency_penalty,
    repeat_penalty: repeat,
    repetition_penalty: repeat,
  });
}

/** Refuses ways to choose the next token that only some upstreams have, unless they are switched off. */
function refuseUnknown({ mirostat, typical_p }: Options): void {
  const reason = "Only an agent whose upstream is an Ollama supports it. Leave it out.";
  if (mirostat) throw refuse("options.mirostat", reason);
  if (typical_p != null && typical_p !== 1) throw refuse("options.typical_p", reason);
}

/** Returns the form of the answer for a chat completion. */
export function responseFormat({ format }: Pick<ChatBody, "format">): Record<string, unknown> {
  if (format == null || format === "") return {};
  if (format === "json") return { response_format: { type: "json_object" } };
  if (typeof format === "string") throw refuse("format", 'It must be "json" or a JSON schema.');
  // OpenAI would take only a part of JSON Schema with `strict`. Model servers hold to the schema without it.
  return { response_format: { type: "json_schema", json_schema: { name: "answer", schema: format } } };
}

const EFFORTS: ReadonlySet<unknown> = new Set(["low", "medium", "high"]);

/**
 * Returns how much the model is to reason. `true` is left out: a model that reasons does so by itself, and upstreams
 * refuse the field for one that does not.
 */
export function reasoningOf({ think }: Pick<ChatBody, "think">): Record<string, unknown> {
  if (think == null || think === true) return {};
  if (think === false) return { reasoning_effort: "none" };
  if (!EFFORTS.has(think)) throw refuse("think", "It must be true, false, low, medium or high.");
  return { reasoning_effort: think };
}
