import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import type { ApiAddress } from "./model-api.ts";

/** The official packages as their users configure them, but without retries unless a test wants them. */
export const openaiAt = ({ baseURL, apiKey }: ApiAddress, maxRetries = 0): OpenAI =>
  new OpenAI({ baseURL, apiKey, maxRetries });

/** Uses the base address of the server, without `/v1`. */
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

/** Uses `/v1/responses`, or `/v1/chat/completions` with `.chat(…)`. */
export const openaiProviderAt = ({ baseURL, apiKey }: ApiAddress) => createOpenAI({ baseURL, apiKey });

/** Resolves with the reason why the promise was rejected; undefined if it was not. */
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
