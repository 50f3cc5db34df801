import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import type { ApiAddress } from "./model-api.ts";

/** The official packages as their users make them, but that nothing is retried unless a test wants it. */
export const openaiAt = ({ baseURL, apiKey }: ApiAddress, maxRetries = 0): OpenAI =>
  new OpenAI({ baseURL, apiKey, maxRetries });

/** Its base URL is that of the server, without `/v1`. */
export const anthropicAt = ({ baseURL, apiKey }: ApiAddress, maxRetries = 0): Anthropic =>
  new Anthropic({ baseURL: baseURL.replace(/\/v1$/, ""), apiKey, maxRetries });

export const compatibleAt = ({ baseURL, apiKey }: ApiAddress) =>
  createOpenAICompatible({
    name: "mine",
    baseURL,
    apiKey,
    includeUsage: true,
    supportsStructuredOutputs: true,
  });

/** Asks by `/v1/responses`, or by `.chat(…)`. */
export const openaiProviderAt = ({ baseURL, apiKey }: ApiAddress) => createOpenAI({ baseURL, apiKey });

/** What a promise was rejected with; undefined where it was not. */
export const rejectionOf = (promise: PromiseLike<unknown>): Promise<unknown> =>
  Promise.resolve(promise).then(
    () => undefined,
    (error: unknown) => error,
  );

export async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}
