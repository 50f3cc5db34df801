import { z } from "zod";
import { openaiStyle } from "../../errors/openai.ts";
import { resource } from "../../route.ts";
import { SAMPLE } from "../../values.ts";
import { type ApiRequest, answerModelRequest, type ModelDeps } from "../answer-request.ts";
import type { ModelApi } from "../read-request.ts";
import { ANYTHING, bodyWith, modelRoute } from "../route.ts";
import { AnswerShape } from "../schema.ts";

const RERANK: ModelApi = { endpoint: "rerank", style: openaiStyle };
/** OpenAI's clients leave the model out. */
const MODERATIONS: ModelApi = {
  endpoint: "moderations",
  style: openaiStyle,
  defaultModel: "omni-moderation-latest",
};
const TOKENIZE: ModelApi = { endpoint: "tokenize", style: openaiStyle };
const DETOKENIZE: ModelApi = { endpoint: "detokenize", style: openaiStyle };

const ROUTES = {
  rerank: modelRoute(RERANK, {
    outputLimits: null,
    summary: "Rank documents by a query, Cohere- and Jina-style",
    description: "Also at `/rerank` and `/v2/rerank`.",
    body: bodyWith({
      query: z.string().optional().describe("What the documents are compared with."),
      documents: z.array(z.unknown()).optional().describe("The documents: texts, or objects."),
      top_n: z.number().nullish().describe("How many of the best to return."),
    }),
    fields: { query: "Where is the hub?", documents: ["The hub is here.", "Nothing."], top_n: 1 },
    answer: AnswerShape.ranking,
    example: { id: "rank-1", results: [{ index: 0, relevance_score: 0.97 }] },
  }),
  createModeration: modelRoute(MODERATIONS, {
    outputLimits: null,
    summary: "Classify texts or images as harmful, OpenAI-style",
    description: "Without a model, the request is for `omni-moderation-latest`, which may be a model alias.",
    body: bodyWith({ input: ANYTHING.describe("A text, several, or a list of parts.") }),
    fields: { input: "Hello" },
    answer: AnswerShape.moderation,
    example: { id: "modr-1", model: SAMPLE.model, results: [{ flagged: false }] },
  }),
  tokenize: modelRoute(TOKENIZE, {
    outputLimits: null,
    summary: "Turn a text into the model's tokens",
    description:
      "The fields are those of the upstream: `prompt` or `messages` for vLLM, `content` for llama.cpp.",
    body: bodyWith({ prompt: ANYTHING.describe("A text."), content: ANYTHING.describe("A text.") }),
    fields: { prompt: "Hello" },
    answer: AnswerShape.tokens,
    example: { count: 1, tokens: [9906] },
  }),
  detokenize: modelRoute(DETOKENIZE, {
    outputLimits: null,
    summary: "Turn a model's tokens into text",
    body: bodyWith({ tokens: z.array(z.unknown()).optional().describe("The tokens.") }),
    fields: { tokens: [9906] },
    answer: AnswerShape.text,
    example: { prompt: "Hello" },
  }),
};

/** The routes of models that do not write: rankings, moderations and tokens. */
export const taskRoutes = resource("Models", ROUTES).handledBy((deps: ModelDeps) => {
  const answering = (api: ModelApi) => (request: ApiRequest) => answerModelRequest(deps, api, request);
  return {
    rerank: answering(RERANK),
    createModeration: answering(MODERATIONS),
    tokenize: answering(TOKENIZE),
    detokenize: answering(DETOKENIZE),
  };
});
