import { describe, expect, test } from "bun:test";
import { estimateRequest, OUTPUT_TOKENS_DEFAULT } from "../../../src/http/middleware/request-tokens.ts";

const CHAT = ["max_completion_tokens", "max_tokens"];

/** Estimates the output tokens alone. */
function output(json: unknown, outputLimits?: readonly string[] | null): number {
  return estimateRequest("", json, outputLimits).output;
}

describe("the tokens reserved for a request", () => {
  test.each([
    [{}, OUTPUT_TOKENS_DEFAULT],
    [{ max_tokens: 7 }, 7],
    [{ max_completion_tokens: 9 }, 9],
    [{ max_completion_tokens: 1, max_tokens: 500 }, 500],
    [{ max_tokens: 7, n: 3 }, 21],
    [{ max_tokens: 7, n: 2, best_of: 5 }, 35],
    [{ max_tokens: 7, prompt: ["a", "b"] }, 14],
    [{ max_tokens: 7, prompt: [[1, 2], [3]] }, 14],
    [{ max_tokens: 7, prompt: [1, 2, 3] }, 7],
    [{ max_tokens: 7, prompt: [] }, 7],
  ])("%p reserves %p output tokens", (json, tokens) => {
    expect(output(json, CHAT)).toBe(tokens);
  });

  test("the limit may be a field of a field, as in Ollama's options", () => {
    expect(output({ options: { num_predict: 7 } }, ["options.num_predict"])).toBe(7);
    expect(output({ options: { num_predict: -1 } }, ["options.num_predict"])).toBe(OUTPUT_TOKENS_DEFAULT);
    expect(output({ options: null }, ["options.num_predict"])).toBe(OUTPUT_TOKENS_DEFAULT);
  });

  test.each([
    { max_tokens: null },
    { max_tokens: -1 },
    { max_tokens: 0 },
    { max_tokens: 1.5 },
    { max_tokens: "8" },
    // The upstream does not read it in a chat completion.
    { max_output_tokens: 1 },
    { n: "many", best_of: -3 },
    "text",
    null,
  ])("%p sets no maximum", (json) => {
    expect(output(json, CHAT)).toBe(OUTPUT_TOKENS_DEFAULT);
  });

  test("a request without output tokens reserves those of its input, and any other both", () => {
    const text = "abcd".repeat(100);
    expect(estimateRequest(text, { max_tokens: 7 }, null)).toEqual({ input: 100, output: 0 });
    expect(estimateRequest(text, { max_tokens: 7 }, ["max_tokens"])).toEqual({ input: 100, output: 7 });
    expect(estimateRequest(text, { max_tokens: 7 })).toEqual({ input: 100, output: OUTPUT_TOKENS_DEFAULT });
  });

  test("no request reserves more than a count of tokens can be", () => {
    expect(output({ max_tokens: Number.MAX_SAFE_INTEGER, n: 128 }, CHAT)).toBe(100_000_000);
    expect(output({ max_tokens: 1e308 }, CHAT)).toBe(100_000_000);
  });
});
