import { z } from "zod";
import { anthropicStyle } from "../errors/anthropic.ts";
import { ASK_ERRORS } from "../errors/ask-errors.ts";
import { openaiStyle, responsesStyle } from "../errors/openai.ts";
import type { ErrorStyle } from "../errors/style.ts";
import { type AnswerDeps, answerResponse } from "../responses/answer.ts";
import { type RouteDeclaration, resource } from "../route.ts";
import { SAMPLE } from "../values.ts";
import { type ApiRequest, answerModelRequest, type ModelDeps } from "./answer-request.ts";
import { translateCount } from "./messages/count.ts";
import { MessagesBody } from "./messages/schema.ts";
import { translateMessages } from "./messages/translate.ts";
import type { ModelApi } from "./read-request.ts";
import { ResponsesBody } from "./responses/schema.ts";
import { translateResponses } from "./responses/translate.ts";
import { AnswerShape, ModelAskBody, NamedModel, plainModelAsk } from "./schema.ts";

const MODEL = SAMPLE.model;
const UNCHANGED =
  "An agent whose upstream has this route is sent the body unchanged, unknown fields included, and its answer is passed on unchanged.";
const TRANSLATED =
  "For any other agent with chat completions, the request and the answer are translated. What a chat completion cannot express is a 400 whose `param` names the field. The fields here are those that the translation reads.";
const EVENTS =
  "Server-sent events of this API. After 15 s without an event, the first one included, there is a comment, or a `ping` on `/v1/messages`. A failure after the first of these is an event of this API.";

const CHAT: ModelApi = { endpoint: "chat/completions", style: openaiStyle };
const RESPONSES: ModelApi = { endpoint: "responses", style: responsesStyle, translate: translateResponses };
const COMPLETIONS: ModelApi = { endpoint: "completions", style: openaiStyle };
const EMBEDDINGS: ModelApi = { endpoint: "embeddings", style: openaiStyle };
const MESSAGES: ModelApi = { endpoint: "messages", style: anthropicStyle, translate: translateMessages };
const COUNT_TOKENS: ModelApi = {
  endpoint: "messages/count_tokens",
  style: anthropicStyle,
  translate: translateCount,
  streams: "never",
};

export interface ModelRoute {
  /** The fields that bound the output tokens; null if there are none. */
  outputLimits: readonly string[] | null;
  summary: string;
  description?: string;
  body: z.ZodType;
  /** The fields of the example body besides the model. */
  fields: Record<string, unknown>;
  answer: z.ZodType;
  example: unknown;
  /** The events of the example stream, if the answer can be streamed. */
  events?: string;
}

/** The parts of a declaration in which the APIs differ. */
interface RouteOfApi<Path extends `/${string}`> {
  path: Path;
  style: ErrorStyle;
  /** The answer in words, and the content of its stream by type, if it can be streamed. */
  answered: string;
  stream?: Record<string, { description: string; example: string }> | undefined;
}

/** Returns the declaration of a route whose requests are asks. */
export function askRoute<const Path extends `/${string}`>(
  { path, style, answered, stream }: RouteOfApi<Path>,
  declared: Omit<ModelRoute, "events"> & { description: string },
) {
  const { outputLimits, summary, description, body, fields, answer, example } = declared;
  const passedOn = { isPassedOn: true, json: answer, example } as const;
  return {
    method: "POST",
    path,
    access: "caller",
    limits: "admit",
    outputLimits,
    passesErrorsOn: true,
    style,
    summary,
    description,
    body: {
      schema: ModelAskBody,
      plain: plainModelAsk,
      documented: body,
      example: { model: MODEL, ...fields },
      error: "request_invalid",
    },
    answers: {
      200: {
        description: stream ? `${answered}, or the stream of it.` : `${answered}.`,
        headers: stream ? ["x-accel-buffering"] : [],
        ...passedOn,
        ...(stream && { other: stream }),
      },
      "2XX": { description: "Another good answer of the upstream.", ...passedOn },
    },
    errors: ["body_invalid", "endpoint_unsupported", ...ASK_ERRORS],
  } as const satisfies RouteDeclaration;
}

/** Returns the declaration of a route whose requests and answers are passed on. */
export function modelRoute({ endpoint, style }: ModelApi, { events, description, ...declared }: ModelRoute) {
  const stream = events ? { "text/event-stream": { description: EVENTS, example: events } } : undefined;
  return askRoute(
    { path: `/v1/${endpoint}`, style, answered: "The upstream's answer", stream },
    { ...declared, description: [UNCHANGED, description].filter(Boolean).join(" ") },
  );
}

/** Returns the schema of a body of which the server reads only the general fields. */
export const bodyWith = (fields: z.ZodRawShape) =>
  ModelAskBody.extend({ ...NamedModel.shape, ...fields }).loose();

export const ANYTHING = z.unknown().optional();
/** The further models of a request that may be answered by another model. */
const FALLBACKS = {
  models: ANYTHING.describe("The names of further models, used in this order when the model cannot answer."),
  fallbacks: ANYTHING.describe("More of them."),
};
const CONVERSATION = z.array(z.looseObject({})).optional().describe("The conversation so far.");
const HELLO = [{ role: "user", content: "Hello" }];
const USAGE = { prompt_tokens: 8, completion_tokens: 3, total_tokens: 11 };

const ROUTES = {
  createChatCompletion: modelRoute(CHAT, {
    outputLimits: ["max_completion_tokens", "max_tokens"],
    summary: "Create a chat completion, OpenAI-style",
    description:
      "A browser agent takes text only: the messages become one prompt. The fields here are those that the server itself reads, and the messages.",
    body: bodyWith({ messages: CONVERSATION, ...FALLBACKS }),
    fields: { messages: HELLO },
    answer: AnswerShape.chat,
    example: {
      ...{ id: "chatcmpl-1", object: "chat.completion", created: 1763885414, model: MODEL },
      choices: [{ index: 0, message: { role: "assistant", content: "Hello!" }, finish_reason: "stop" }],
      usage: USAGE,
    },
    events: 'data: {"choices":[{"index":0,"delta":{"content":"Hello!"}}]}\n\ndata: [DONE]\n\n',
  }),
  createResponse: modelRoute(RESPONSES, {
    outputLimits: ["max_output_tokens"],
    summary: "Create a response of OpenAI's Responses API",
    description: TRANSLATED,
    body: ResponsesBody.extend(FALLBACKS).loose(),
    fields: { input: "Hello" },
    answer: AnswerShape.response,
    example: {
      ...{ id: "resp_1", object: "response", status: "completed", model: MODEL },
      output: [{ type: "message", role: "assistant", content: [{ type: "output_text", text: "Hello!" }] }],
      usage: { input_tokens: 8, output_tokens: 3 },
    },
    events:
      'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","sequence_number":4,"delta":"Hello!"}\n\n',
  }),
  createCompletion: modelRoute(COMPLETIONS, {
    outputLimits: ["max_tokens"],
    summary: "Create a completion, OpenAI-style",
    body: bodyWith({ prompt: ANYTHING.describe("A text, or several."), ...FALLBACKS }),
    fields: { prompt: "Once upon a time" },
    answer: AnswerShape.completion,
    example: {
      ...{ id: "cmpl-1", object: "text_completion", created: 1763885414, model: MODEL },
      choices: [{ index: 0, text: " there was a hub.", finish_reason: "stop" }],
      usage: USAGE,
    },
    events: 'data: {"choices":[{"index":0,"text":" there"}]}\n\ndata: [DONE]\n\n',
  }),
  createEmbeddings: modelRoute(EMBEDDINGS, {
    outputLimits: null,
    summary: "Create embeddings, OpenAI-style",
    body: bodyWith({ input: ANYTHING.describe("A text, or several.") }),
    fields: { input: ["Hello"] },
    answer: AnswerShape.embeddings,
    example: {
      ...{ object: "list", model: MODEL },
      data: [{ object: "embedding", index: 0, embedding: [0.0123, -0.0456] }],
    },
  }),
  createMessage: modelRoute(MESSAGES, {
    outputLimits: ["max_tokens"],
    summary: "Create a message of Anthropic's Messages API",
    description: TRANSLATED,
    body: MessagesBody.extend(FALLBACKS).loose(),
    fields: { max_tokens: 256, messages: HELLO },
    answer: AnswerShape.message,
    example: {
      ...{ id: "msg_1", type: "message", role: "assistant", model: MODEL },
      content: [{ type: "text", text: "Hello!" }],
      stop_reason: "end_turn",
      usage: { input_tokens: 8, output_tokens: 3 },
    },
    events:
      'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hello!"}}\n\n',
  }),
  countTokens: modelRoute(COUNT_TOKENS, {
    outputLimits: null,
    summary: "Count the input tokens of a message",
    description:
      "An agent with a tokenizer counts the tokens of the chat completion that the message would become. The server never estimates: without an upstream that counts, and for images, the answer is a 404.",
    body: bodyWith({ messages: CONVERSATION }),
    fields: { messages: HELLO },
    answer: AnswerShape.tokenCount,
    example: { input_tokens: 8 },
  }),
};

/** The OpenAI-style routes and Anthropic's. */
export const modelRoutes = resource("Models", ROUTES).handledBy((deps: ModelDeps & AnswerDeps) => {
  const answering = (api: ModelApi) => (request: ApiRequest) => answerModelRequest(deps, api, request);
  return {
    createChatCompletion: answering(CHAT),
    createResponse: (request) => answerResponse(deps, RESPONSES, request),
    createCompletion: answering(COMPLETIONS),
    createEmbeddings: answering(EMBEDDINGS),
    createMessage: answering(MESSAGES),
    countTokens: answering(COUNT_TOKENS),
  };
});
