import { describe, expect, test } from "bun:test";
import { Usage } from "../../src/protocol/agent-v2.ts";
import { mayHaveUsage, tokenCountsOf, UsageReader, usageIn } from "../../src/protocol/token-usage.ts";

/** The input, output, cached, cache creation and reasoning tokens. */
type Counts = (number | undefined)[];

const counts = (usage: Usage | undefined): Counts | undefined => {
  const { inputTokens, outputTokens, ...details } = tokenCountsOf(usage);
  if (inputTokens === undefined || outputTokens === undefined) return undefined;
  const { cachedTokens, cacheCreationTokens, reasoningTokens } = details;
  return [inputTokens, outputTokens, cachedTokens, cacheCreationTokens, reasoningTokens];
};

describe("the usage of one answer", () => {
  test.each<[string, unknown, Counts]>([
    [
      "OpenAI",
      {
        ...{ prompt_tokens: 100, completion_tokens: 20, total_tokens: 120 },
        prompt_tokens_details: { cached_tokens: 64, audio_tokens: 0 },
        completion_tokens_details: { reasoning_tokens: 7, accepted_prediction_tokens: 0 },
      },
      [100, 20, 64, undefined, 7],
    ],
    [
      "OpenAI's responses",
      {
        ...{ input_tokens: 100, output_tokens: 20, total_tokens: 120 },
        input_tokens_details: { cached_tokens: 64 },
        output_tokens_details: { reasoning_tokens: 7 },
      },
      [100, 20, 64, undefined, 7],
    ],
    [
      "Anthropic, which counts the cache beside the input tokens",
      {
        ...{ input_tokens: 6, output_tokens: 20 },
        ...{ cache_read_input_tokens: 64, cache_creation_input_tokens: 30 },
      },
      [100, 20, 64, 30, undefined],
    ],
    [
      "Anthropic without a cache",
      {
        ...{ input_tokens: 100, output_tokens: 20 },
        ...{ cache_read_input_tokens: null, cache_creation_input_tokens: null },
      },
      [100, 20],
    ],
    [
      "DeepSeek",
      {
        ...{ prompt_tokens: 100, completion_tokens: 20 },
        ...{ prompt_cache_hit_tokens: 64, prompt_cache_miss_tokens: 36 },
      },
      [100, 20, 64],
    ],
    ["Moonshot", { prompt_tokens: 100, completion_tokens: 20, cached_tokens: 64 }, [100, 20, 64]],
    [
      "OpenRouter",
      {
        ...{ prompt_tokens: 100, completion_tokens: 20 },
        prompt_tokens_details: { cached_tokens: 64, cache_write_tokens: 30 },
      },
      [100, 20, 64, 30],
    ],
    [
      "LiteLLM, which repeats Anthropic's names",
      {
        ...{ prompt_tokens: 100, completion_tokens: 20 },
        prompt_tokens_details: { cached_tokens: 64, cache_creation_tokens: 30 },
        ...{ cache_read_input_tokens: 64, cache_creation_input_tokens: 30 },
      },
      [100, 20, 64, 30],
    ],
    [
      "Qwen",
      {
        ...{ prompt_tokens: 100, completion_tokens: 20 },
        prompt_tokens_details: { cached_tokens: 0, cache_creation_input_tokens: 30 },
      },
      [100, 20, 0, 30],
    ],
    [
      "xAI, which counts reasoning beside the output tokens",
      {
        ...{ prompt_tokens: 100, completion_tokens: 20, total_tokens: 220 },
        completion_tokens_details: { reasoning_tokens: 100 },
      },
      [100, 120, undefined, undefined, 100],
    ],
    [
      "SGLang",
      { prompt_tokens: 100, completion_tokens: 20, reasoning_tokens: 7 },
      [100, 20, undefined, undefined, 7],
    ],
    ["embeddings", { prompt_tokens: 100, total_tokens: 100 }, [100, 0]],
    [
      "details that are null",
      {
        ...{ prompt_tokens: 100, completion_tokens: 20 },
        ...{ prompt_tokens_details: null, completion_tokens_details: null },
      },
      [100, 20],
    ],
  ])("the usage of %s is read with its parts", (_, usage, expected) => {
    const [input, output, cached, created, reasoning] = expected;
    expect(counts(usageIn({ usage }))).toEqual([input, output, cached, created, reasoning]);
  });

  test.each<[string, object]>([
    ["more cached than input tokens", { prompt_tokens_details: { cached_tokens: 101 } }],
    [
      "more tokens of the cache than input tokens",
      { prompt_tokens_details: { cached_tokens: 60, cache_creation_tokens: 60 } },
    ],
    ["more reasoning than output tokens", { completion_tokens_details: { reasoning_tokens: 21 } }],
    ...[-1, 1.5, 1e300, "7", [7], {}, true].map((value): [string, object] => [
      `the detail ${JSON.stringify(value)}`,
      {
        ...{ prompt_tokens_details: { cached_tokens: value, cache_creation_tokens: value } },
        ...{ completion_tokens_details: { reasoning_tokens: value } },
      },
    ]),
    ["a text for the details", { prompt_tokens_details: "64", completion_tokens_details: "7" }],
  ])("%s is left out, and the other counts are kept", (_, wrong) => {
    const usage = { prompt_tokens: 100, completion_tokens: 20, ...wrong };
    expect(usageIn({ usage })).toEqual({ prompt_tokens: 100, completion_tokens: 20 });
    expect(counts(Usage.parse(usage))).toEqual([100, 20, undefined, undefined, undefined]);
  });

  test("a usage with a count that cannot be right is left out as a whole", () => {
    for (const usage of [
      null,
      "7",
      [],
      {},
      { prompt_tokens: -1, completion_tokens: 1 },
      { prompt_tokens: 100_000_001, completion_tokens: 1 },
      { prompt_tokens: 1, completion_tokens: 1.5 },
      { input_tokens: 100_000_000, cache_read_input_tokens: 1, output_tokens: 1 },
    ])
      expect(usageIn({ usage })).toBeUndefined();
  });

  test("usage is also found where Groq puts it", () => {
    expect(counts(usageIn({ x_groq: { usage: { prompt_tokens: 3, completion_tokens: 5 } } }))).toEqual([
      ...[3, 5, undefined, undefined, undefined],
    ]);
  });
});

describe("the usage of a stream", () => {
  const after = (...usages: object[]) => {
    const reader = new UsageReader();
    for (const usage of usages) reader.note({ usage });
    return counts(reader.usage);
  };

  test("the counts of a later event replace those of an earlier one", () => {
    const early = {
      prompt_tokens: 100,
      completion_tokens: 1,
      completion_tokens_details: { reasoning_tokens: 1 },
    };
    const late = {
      prompt_tokens: 101,
      completion_tokens: 20,
      completion_tokens_details: { reasoning_tokens: 9 },
    };
    expect(after(early, late)).toEqual([101, 20, undefined, undefined, 9]);
  });

  test("zeros do not replace what was counted before, wherever they stand", () => {
    const cache = { cache_read_input_tokens: 64, cache_creation_input_tokens: 30 };
    const none = { cache_read_input_tokens: 0, cache_creation_input_tokens: 0 };
    const start = { input_tokens: 6, output_tokens: 1, ...cache };
    const end = [100, 20, 64, 30, undefined] as const;
    expect(after(start, { output_tokens: 20 })).toEqual([...end]);
    expect(after(start, { input_tokens: 6, output_tokens: 20 })).toEqual([...end]);
    expect(after(start, { input_tokens: 0, output_tokens: 20, ...none })).toEqual([...end]);
    expect(after({ input_tokens: 0, output_tokens: 0 }, { ...start, output_tokens: 20 })).toEqual([...end]);
    expect(after(start, { output_tokens: 20 }, { output_tokens: 0 })).toEqual([...end]);
  });

  test("tokens that turn out to be cached are not counted twice", () => {
    const before = { input_tokens: 100, cache_read_input_tokens: 0, output_tokens: 1 };
    const later = { input_tokens: 0, cache_read_input_tokens: 100, output_tokens: 20 };
    expect(after(before, later)).toEqual([100, 20, 100, undefined, undefined]);
  });
});

test.each<[string, object, [number, number]]>([
  ["its last line", { done: true, prompt_eval_count: 5, eval_count: 2 }, [5, 2]],
  ["its last line, with all of the prompt in its cache", { done: true, eval_count: 2 }, [0, 2]],
  ["its embeddings", { embeddings: [], prompt_eval_count: 5 }, [5, 0]],
])("Ollama's counts are read from %s", (_, line, expected) => {
  expect(mayHaveUsage(JSON.stringify(line))).toBe(true);
  expect(counts(usageIn(line))?.slice(0, 2)).toEqual(expected);
});
