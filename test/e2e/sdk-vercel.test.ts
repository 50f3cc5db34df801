import { describe, expect, test } from "bun:test";
import {
  APICallError,
  embedMany,
  generateObject,
  generateText,
  isStepCount,
  type LanguageModel,
  Output,
  streamText,
  tool,
} from "ai";
import { z } from "zod";
import { shareModelApi } from "../support/model-api.ts";
import { collect, compatibleAt, openaiProviderAt, rejectionOf } from "../support/sdks.ts";
import { countWords, modelText } from "../support/upstream/model-answers.ts";
import { shareModelUpstream } from "../support/upstream/model-upstream.ts";

const QUESTION = "two  words\n日本語 👩‍🔬";
const ANSWER = modelText(QUESTION);
const TOOLS_QUESTION = "How is it in Paris and Rome?";
const TOOLS_ANSWER = "The tools said: weather of Paris, news of Rome";
const Counted = z.object({ question: z.string(), words: z.number() });
const upstream = shareModelUpstream();
// `generateObject` warns that it has a successor.
globalThis.AI_SDK_LOG_WARNINGS = false;

const toolOf = (name: string, called: string[]) =>
  tool({
    description: name,
    inputSchema: z.object({ city: z.string() }),
    execute: ({ city }) => {
      called.push(`${name} ${city}`);
      return `${name} of ${city}`;
    },
  });
const toolsOf = (called: string[]) => ({ weather: toolOf("weather", called), news: toolOf("news", called) });

describe.each([
  ["by its own endpoints", []],
  ["by chat completions only", ["--endpoint", "chat/completions", "--endpoint", "embeddings"]],
])("the AI SDK, with an upstream asked %s", (_, endpoints) => {
  const api = shareModelApi({ agents: () => [["--upstream", upstream().url, ...endpoints]] });

  const MODELS: [string, () => LanguageModel][] = [
    ["openai-compatible", () => compatibleAt(api())("small")],
    ["openai, chat", () => openaiProviderAt(api()).chat("small")],
    ["openai, responses", () => openaiProviderAt(api())("small")],
  ];

  describe.each(MODELS)("%s", (name, model) => {
    const isResponses = name === "openai, responses";

    test("the AI SDK generates text, with the upstream's token counts", async () => {
      const { text, finishReason, usage } = await generateText({ model: model(), prompt: QUESTION });
      expect([text, finishReason]).toEqual([ANSWER, "stop"]);
      expect(usage).toMatchObject({ inputTokens: countWords(QUESTION), outputTokens: countWords(ANSWER) });
    });

    test("the AI SDK streams text delta by delta, with token counts and an end", async () => {
      const result = streamText({ model: model(), prompt: QUESTION });
      expect((await collect(result.textStream)).join("")).toBe(ANSWER);
      expect(await result.finishReason).toBe("stop");
      expect((await result.usage).outputTokens).toBe(countWords(ANSWER));
    });

    test("the AI SDK calls parallel tools and continues with their results, whole and streamed", async () => {
      for (const streamed of [false, true]) {
        const called: string[] = [];
        const options = {
          model: model(),
          prompt: TOOLS_QUESTION,
          tools: toolsOf(called),
          stopWhen: isStepCount(3),
        };
        const result = streamed ? streamText(options) : await generateText(options);
        expect(await result.text).toBe(TOOLS_ANSWER);
        expect(await result.steps).toHaveLength(2);
        expect(called.toSorted()).toEqual(["news Rome", "weather Paris"]);
      }
    });

    test("the AI SDK generates an object, with a schema and without", async () => {
      // With its native responses the upstream uses the question only.
      const prompt = isResponses ? "As JSON, please" : QUESTION;
      const expected = { question: prompt, words: countWords(prompt) };
      expect((await generateObject({ model: model(), prompt, schema: Counted })).object).toEqual(expected);
      const { output } = await generateText({
        model: model(),
        prompt,
        output: Output.object({ schema: Counted }),
      });
      expect(output).toEqual(expected);
    });

    test("the AI SDK throws an upstream's error with its status and its message", async () => {
      for (const status of [400, 429, 500]) {
        const asked = generateText({ model: model(), prompt: `fail with ${status}`, maxRetries: 0 });
        const thrown = await rejectionOf(asked);
        expect(thrown).toBeInstanceOf(APICallError);
        expect(thrown).toMatchObject({
          statusCode: status,
          isRetryable: status !== 400,
          message: expect.stringContaining(`It failed with ${status}`),
        });
      }
    });

    test("the AI SDK reports that a stream was refused", async () => {
      let error: unknown;
      const { fullStream } = streamText({
        model: model(),
        prompt: "fail with 400",
        maxRetries: 0,
        onError: (told) => {
          error = told.error;
        },
      });
      await collect(fullStream);
      expect(error).toMatchObject({ statusCode: 400 });
    });
  });

  test("the AI SDK embeds many values at once", async () => {
    for (const provider of [compatibleAt(api()), openaiProviderAt(api())]) {
      const model = provider.embeddingModel("small-embedding");
      const { embeddings } = await embedMany({ model, values: ["one", "two"] });
      expect(embeddings).toHaveLength(2);
      expect(embeddings[0]).not.toEqual(embeddings[1]);
    }
  });

  test("the AI SDK shows the request id of a refusal, and does not retry what cannot succeed", async () => {
    const thrown = await rejectionOf(
      generateText({ model: compatibleAt(api())("unknown"), prompt: QUESTION, maxRetries: 2 }),
    );
    expect(thrown).toBeInstanceOf(APICallError);
    expect(thrown).toMatchObject({
      statusCode: 404,
      isRetryable: false,
      responseHeaders: { "x-request-id": expect.stringMatching(/^req_/) },
    });
  });
});
