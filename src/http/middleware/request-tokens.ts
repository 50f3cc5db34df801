import { field } from "../../json/parse.ts";
import { TOKENS_MAX } from "../../protocol/agent-v2.ts";
import { estimateTokens } from "../../protocol/token-estimate.ts";

/** The output tokens that are reserved for a request that sets no maximum. Few answers are longer. */
export const OUTPUT_TOKENS_DEFAULT = 4096;

/** The tokens that a request may need at most. */
export interface RequestTokens {
  input: number;
  output: number;
}

/**
 * Estimates the tokens that a request may need at most. `outputLimits` are the fields of its body that bound
 * the output, such as `max_tokens` or `options.num_predict`; null if its answer has no output tokens.
 */
export function estimateRequest(
  text: string,
  json: unknown,
  outputLimits: readonly string[] | null = [],
): RequestTokens {
  const output = outputLimits === null ? 0 : maxOutput(json, outputLimits) * answerCount(json);
  return { input: estimateTokens(text), output: Math.min(output, TOKENS_MAX) };
}

/** If several fields bound the output, an upstream may read any of them, so the highest counts. */
function maxOutput(json: unknown, outputLimits: readonly string[]): number {
  const given = outputLimits.map((path) => path.split(".").reduce(field, json)).filter(isCount);
  return given.length > 0 ? Math.max(...given) : OUTPUT_TOKENS_DEFAULT;
}

/** Returns how many answers are asked for: `n` or `best_of`, for each prompt of a list. */
function answerCount(json: unknown): number {
  const [n = 1, bestOf = 1] = [field(json, "n"), field(json, "best_of")].map((value) =>
    isCount(value) ? value : undefined,
  );
  const prompts = field(json, "prompt");
  const isList = Array.isArray(prompts) && typeof prompts[0] !== "number";
  return Math.max(n, bestOf, 1) * (isList ? Math.max(prompts.length, 1) : 1);
}

const isCount = (value: unknown): value is number => Number.isInteger(value) && (value as number) > 0;
