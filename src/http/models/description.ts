import { z } from "zod";
import { ASK_ERRORS } from "../docs/ask-errors.ts";
import { bodyOf, type Description, inPath, JSON_TYPE, jsonAnswer, textContent } from "../docs/describe.ts";
import {
  ChatAnswer,
  CompletionAnswer,
  EmbeddingsAnswer,
  MessagesAnswer,
  ModelEntry,
  ModelList,
  ResponsesAnswer,
  TokenCount,
} from "./answers.ts";
import { MessagesBody } from "./messages/schema.ts";
import { MESSAGES_NOTES, RESPONSES_NOTES } from "./notes.ts";
import { ResponsesBody } from "./responses/schema.ts";
import { ModelAskBody } from "./schema.ts";

const MODEL = { id: "llama3.2", object: "model", created: 1763885414, owned_by: "agent" };
const MESSAGES = [{ role: "user", content: "Hello" }];
const PASSED =
  "An agent whose upstream has this very route is sent the body letter for letter, unknown fields and all, and its answer comes back the same way.";
const TRANSLATED =
  "For any other agent with chat completions the request and the answer are translated; what cannot be said there is a 400 whose `param` names the field. The fields here are those that the translation reads.";

interface Ask extends Pick<Description, "id" | "summary" | "body"> {
  endpoint: string;
  description?: string;
  answer: z.ZodType;
  example: unknown;
  /** The data of the first event and of the last, where it streams. */
  events?: string;
}

function describeAsk({
  endpoint,
  id,
  summary,
  description,
  body,
  answer,
  example,
  events,
}: Ask): Description {
  return {
    ...{ method: "POST", path: `/v1/${endpoint}`, id, tag: "Models", summary },
    description: [PASSED, description].filter(Boolean).join(" "),
    ...{ key: "caller", isLimited: true, isPassedOn: true },
    ...(body && { body }),
    answers: {
      "200": {
        description: `The upstream's answer${events === undefined ? "" : ", or the stream of it"}.`,
        headers: events === undefined ? [] : ["x-accel-buffering"],
        content: {
          [JSON_TYPE]: { schema: answer, example },
          ...(events !== undefined && {
            "text/event-stream": textContent(
              "Server-sent events, as the API that the route is of has them. A failure after the first is told as an event of that API. After 15 s without an event there is a comment, or a `ping` on `/v1/messages`.",
              events,
            ),
          }),
        },
      },
      "2XX": jsonAnswer("Another good answer of the upstream.", answer, example),
    },
    errors: ["request_invalid", "body_invalid", "endpoint_unsupported", ...ASK_ERRORS],
  };
}

const given = z.unknown().optional();
const CONTENT_NOTES = {
  messages: "What was said until now.",
  prompt: "A text, or several.",
  input: "A text, or several.",
};

/** What the server reads of a body, and the field that matters to whoever answers. */
const headBody = (field: keyof typeof CONTENT_NOTES, value: unknown) =>
  bodyOf(
    ModelAskBody.extend({
      [field]: field === "messages" ? z.array(z.looseObject({})).optional() : given,
    }).loose(),
    {
      model: "One of `GET /v1/models`.",
      stream: "Send the answer as it comes.",
      stream_options: "`include_usage` asks for a last event with the tokens that were counted.",
      [field]: CONTENT_NOTES[field],
    },
    { example: { model: MODEL.id, [field]: value } },
  );

const USAGE = { prompt_tokens: 8, completion_tokens: 3, total_tokens: 11 };

export const modelDescriptions: readonly Description[] = [
  describeAsk({
    ...{ endpoint: "chat/completions", id: "createChatCompletion", summary: "Chat, OpenAI-style" },
    description:
      "A browser agent takes text only: the messages become one prompt. The fields here are those that the server itself reads, and the messages.",
    body: headBody("messages", MESSAGES),
    answer: ChatAnswer,
    example: {
      ...{ id: "chatcmpl-1", object: "chat.completion", created: 1763885414, model: MODEL.id },
      choices: [{ index: 0, message: { role: "assistant", content: "Hello!" }, finish_reason: "stop" }],
      usage: USAGE,
    },
    events: 'data: {"choices":[{"index":0,"delta":{"content":"Hello!"}}]}\n\ndata: [DONE]\n\n',
  }),
  describeAsk({
    ...{ endpoint: "responses", id: "createResponse", summary: "OpenAI's Responses" },
    description: TRANSLATED,
    body: bodyOf(ResponsesBody.loose(), RESPONSES_NOTES, { example: { model: MODEL.id, input: "Hello" } }),
    answer: ResponsesAnswer,
    example: {
      ...{ id: "resp_1", object: "response", status: "completed", model: MODEL.id },
      output: [{ type: "message", role: "assistant", content: [{ type: "output_text", text: "Hello!" }] }],
      usage: { input_tokens: 8, output_tokens: 3 },
    },
    events:
      'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","sequence_number":4,"delta":"Hello!"}\n\n',
  }),
  describeAsk({
    ...{ endpoint: "completions", id: "createCompletion", summary: "Completions, OpenAI-style" },
    body: headBody("prompt", "Once upon a time"),
    answer: CompletionAnswer,
    example: {
      ...{ id: "cmpl-1", object: "text_completion", created: 1763885414, model: MODEL.id },
      choices: [{ index: 0, text: " there was a hub.", finish_reason: "stop" }],
      usage: USAGE,
    },
    events: 'data: {"choices":[{"index":0,"text":" there"}]}\n\ndata: [DONE]\n\n',
  }),
  describeAsk({
    ...{ endpoint: "embeddings", id: "createEmbeddings", summary: "Embeddings, OpenAI-style" },
    body: headBody("input", ["Hello"]),
    answer: EmbeddingsAnswer,
    example: {
      ...{ object: "list", model: MODEL.id },
      data: [{ object: "embedding", index: 0, embedding: [0.0123, -0.0456] }],
    },
  }),
  describeAsk({
    ...{ endpoint: "messages", id: "createMessage", summary: "Anthropic's Messages" },
    description: TRANSLATED,
    body: bodyOf(MessagesBody.loose(), MESSAGES_NOTES, {
      example: { model: MODEL.id, max_tokens: 256, messages: MESSAGES },
    }),
    answer: MessagesAnswer,
    example: {
      ...{ id: "msg_1", type: "message", role: "assistant", model: MODEL.id },
      content: [{ type: "text", text: "Hello!" }],
      stop_reason: "end_turn",
      usage: { input_tokens: 8, output_tokens: 3 },
    },
    events:
      'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hello!"}}\n\n',
  }),
  describeAsk({
    ...{ endpoint: "messages/count_tokens", id: "countTokens", summary: "Count the tokens of a message" },
    description: "Never estimated: without an upstream that counts it is a 404.",
    body: headBody("messages", MESSAGES),
    answer: TokenCount,
    example: { input_tokens: 8 },
  }),
  {
    ...{ method: "GET", path: "/v1/models", id: "listModels", tag: "Models", key: "caller" },
    summary: "The models that the agents offer, and the aliases of them",
    description: "Only those that the caller may use.",
    answers: {
      "200": jsonAnswer("The models.", ModelList, { object: "list", data: [MODEL] }),
    },
  },
  {
    ...{ method: "GET", path: "/v1/models/:id{.+}", id: "readModel", tag: "Models", key: "caller" },
    summary: "One model",
    parameters: [inPath("id", "The model's name, which may have slashes in it.")],
    answers: { "200": jsonAnswer("The model.", ModelEntry, MODEL) },
    errors: ["model_not_found"],
  },
];
