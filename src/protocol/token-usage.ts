import { field } from "../json/parse.ts";
import { TOKENS_MAX, Usage } from "./agent-v2.ts";
import { plainUpstreamUsage } from "./plain.ts";

/**
 * The token counts of one answer. Cached tokens (read from the upstream's prompt cache) and cache creation
 * tokens (written to it) are part of the input tokens, and reasoning tokens are part of the output tokens.
 */
export interface TokenCounts {
  inputTokens: number | undefined;
  outputTokens: number | undefined;
  cachedTokens?: number | undefined;
  cacheCreationTokens?: number | undefined;
  reasoningTokens?: number | undefined;
}

/** Returns the counts of a usage. A detail that is larger than the count it is part of is left out. */
export function tokenCountsOf(usage: Usage | undefined): TokenCounts {
  const { prompt_tokens: inputTokens, completion_tokens: outputTokens } = usage ?? {};
  const { cached_tokens: cachedTokens, cache_creation_tokens: cacheCreationTokens } =
    usage?.prompt_tokens_details ?? {};
  const reasoningTokens = usage?.completion_tokens_details?.reasoning_tokens;
  const isCachePart = (cachedTokens ?? 0) + (cacheCreationTokens ?? 0) <= (inputTokens ?? 0);
  const isReasoningPart = (reasoningTokens ?? 0) <= (outputTokens ?? 0);
  return {
    inputTokens,
    outputTokens,
    cachedTokens: isCachePart ? cachedTokens : undefined,
    cacheCreationTokens: isCachePart ? cacheCreationTokens : undefined,
    reasoningTokens: isReasoningPart ? reasoningTokens : undefined,
  };
}

/** Returns the usage in an answer that was not streamed, or in one event of a stream. */
export function usageIn(answer: unknown): Usage | undefined {
  const plain = plainUpstreamUsage(field(answer, "usage"));
  if (plain) return plain;
  const reader = new UsageReader();
  reader.note(answer);
  return reader.usage;
}

/** Whether an event with this data can have a usage, so that others need not be parsed. Quoted text does not match. */
export const mayHaveUsage = (data: string): boolean => USAGE_OBJECT.test(data) || data.includes(OLLAMA_COUNT);

const USAGE_OBJECT = /"usage"\s*:\s*\{/;
/** The end of the names of Ollama's counts. */
const OLLAMA_COUNT = 'eval_count":';

/**
 * Reads the usage of the events of a stream, in whichever shape the upstream reports it. Later counts replace
 * earlier ones, but zeros do not: upstreams send them where they have nothing to report.
 */
export class UsageReader {
  #input: InputCounts = {};
  #output: OutputCounts = {};
  /** Whether the input tokens do not include those of the cache, as Anthropic counts them. */
  #isCacheApart = false;

  /** Takes an event, or a whole answer. */
  note(event: unknown): void {
    const usage = findUsage(event);
    if (typeof usage !== "object" || usage === null) return;
    this.#isCacheApart ||= CACHE_APART.some((name) => count(usage, name) !== undefined);
    this.#input = updated(this.#input, inputCountsOf(usage));
    this.#output = updated(this.#output, outputCountsOf(usage));
  }

  /** The usage so far; undefined if the input tokens were not reported, or a count cannot be right. */
  get usage(): Usage | undefined {
    const { prompt, input: own, cached, created } = this.#input;
    const { output: told, reasoning, total } = this.#output;
    const output = told ?? 0;
    const isApart = this.#isCacheApart && own !== undefined;
    // Rankings and embeddings have input tokens only, which some upstreams tell by the total alone.
    const only = told === undefined ? total : undefined;
    const input = prompt ?? (isApart ? sum(own, cached, created) : own) ?? only;
    // xAI and Gemini count reasoning beside the output tokens, which only the total tells.
    const isBeside = reasoning !== undefined && reasoning > 0 && total === sum(input, output, reasoning);
    const usage = Usage.safeParse({
      prompt_tokens: input,
      completion_tokens: isBeside ? output + reasoning : output,
      ...((cached !== undefined || created !== undefined) && {
        prompt_tokens_details: { cached_tokens: cached, cache_creation_tokens: created },
      }),
      ...(reasoning !== undefined && { completion_tokens_details: { reasoning_tokens: reasoning } }),
    }).data;
    return usage && withoutWrongDetails(usage);
  }
}

/** The names by which Anthropic counts the tokens of its cache, beside `input_tokens`. */
const CACHE_APART = ["cache_read_input_tokens", "cache_creation_input_tokens"];

interface InputCounts {
  prompt?: number | undefined;
  input?: number | undefined;
  cached?: number | undefined;
  created?: number | undefined;
}

interface OutputCounts {
  output?: number | undefined;
  reasoning?: number | undefined;
  total?: number | undefined;
}

/**
 * Finds `usage` at the top level (chat completions, completions, embeddings, messages), in the `response` of
 * the last event of responses, in the `message` of the first event of messages, or where Groq puts it.
 */
function findUsage(value: unknown): unknown {
  return (
    field(value, "usage") ??
    field(field(value, "response"), "usage") ??
    field(field(value, "message"), "usage") ??
    field(field(value, "x_groq"), "usage") ??
    ollamaUsage(value)
  );
}

/** Ollama counts in its last line. It leaves out the input tokens if all of them were in its cache. */
function ollamaUsage(value: unknown): unknown {
  const [input, output] = [number(value, "prompt_eval_count"), number(value, "eval_count")];
  if (input === undefined && output === undefined) return undefined;
  return { prompt_tokens: input ?? 0, completion_tokens: output ?? 0 };
}

/**
 * Cached tokens are in `prompt_tokens_details` (OpenAI), `input_tokens_details` (responses), or beside the
 * input tokens: `prompt_cache_hit_tokens` (DeepSeek), `cached_tokens` (Moonshot, Together). Those that were
 * written to the cache have three names: `cache_creation_tokens` (LiteLLM), `cache_write_tokens` (OpenRouter),
 * `cache_creation_input_tokens` (Anthropic, Qwen).
 */
function inputCountsOf(usage: object): InputCounts {
  const details = field(usage, "prompt_tokens_details") ?? field(usage, "input_tokens_details");
  return {
    prompt: number(usage, "prompt_tokens"),
    input: number(usage, "input_tokens"),
    cached:
      count(details, "cached_tokens") ??
      count(usage, "cache_read_input_tokens") ??
      count(usage, "prompt_cache_hit_tokens") ??
      count(usage, "cached_tokens"),
    created:
      count(details, "cache_creation_tokens") ??
      count(details, "cache_write_tokens") ??
      count(details, "cache_creation_input_tokens") ??
      count(usage, "cache_creation_input_tokens"),
  };
}

/** Reasoning tokens are in the details, or beside the output tokens (SGLang, Perplexity). */
function outputCountsOf(usage: object): OutputCounts {
  const details = field(usage, "completion_tokens_details") ?? field(usage, "output_tokens_details");
  return {
    output: number(usage, "completion_tokens") ?? number(usage, "output_tokens"),
    reasoning:
      count(details, "reasoning_tokens") ??
      count(details, "thinking_tokens") ??
      count(usage, "reasoning_tokens"),
    total: number(usage, "total_tokens"),
  };
}

/** Returns the counts with those that are new; unchanged if all new ones are 0. */
function updated<Counts extends object>(known: Counts, found: Counts): Counts {
  const merged = { ...known };
  let isNews = Object.keys(known).length === 0;
  for (const name in found) {
    const value = found[name];
    if (value === undefined) continue;
    merged[name] = value;
    isNews ||= value !== 0;
  }
  return isNews ? merged : known;
}

/** A wrong detail is left out on its own. The counts without it can still be right. */
function withoutWrongDetails(usage: Usage): Usage {
  const { cachedTokens, cacheCreationTokens, reasoningTokens } = tokenCountsOf(usage);
  const { prompt_tokens, completion_tokens } = usage;
  const hasCache = cachedTokens !== undefined || cacheCreationTokens !== undefined;
  return {
    prompt_tokens,
    completion_tokens,
    ...(hasCache && {
      prompt_tokens_details: { cached_tokens: cachedTokens, cache_creation_tokens: cacheCreationTokens },
    }),
    ...(reasoningTokens !== undefined && {
      completion_tokens_details: { reasoning_tokens: reasoningTokens },
    }),
  };
}

function sum(...counts: (number | undefined)[]): number {
  return counts.reduce<number>((total, value) => total + (value ?? 0), 0);
}

function number(value: unknown, name: string): number | undefined {
  const found = field(value, name);
  return typeof found === "number" ? found : undefined;
}

/** Returns a detail if it can be right. */
function count(value: unknown, name: string): number | undefined {
  const found = number(value, name);
  return Number.isInteger(found) && found !== undefined && found >= 0 && found <= TOKENS_MAX
    ? found
    : undefined;
}
