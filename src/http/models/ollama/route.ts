import { z } from "zod";
import { AppError } from "../../../errors.ts";
import { field } from "../../../json/parse.ts";
import { ollamaStyle } from "../../errors/ollama.ts";
import { JSON_HEADERS } from "../../middleware/headers.ts";
import { resource } from "../../route.ts";
import { SAMPLE } from "../../values.ts";
import { type ApiRequest, answerModelRequest, type ModelDeps } from "../answer-request.ts";
import type { ModelListDeps } from "../names/offered-list.ts";
import type { ModelApi } from "../read-request.ts";
import { askRoute, type ModelRoute } from "../route.ts";
import { NamedModel } from "../schema.ts";
import { translateEmbed } from "./embed.ts";
import { loaded, requireModel } from "./load.ts";
import { ChatBody, EmbedBody, EmbeddingsBody, GenerateBody } from "./schema.ts";
import { translateChat, translateGenerate } from "./translate.ts";

const MODEL = SAMPLE.model;
const UNCHANGED =
  "An agent whose upstream is an Ollama is sent the body unchanged, unknown fields included, and its answer is passed on unchanged.";
const TRANSLATED = `${UNCHANGED} For any other agent the request and the answer are translated, and what cannot be expressed is a 400 that names the field.`;
const LINES =
  "Lines of JSON, the last of which has `done: true`. There are no keep-alives. A failure after the first line is a line with `error`.";

const CHAT: ModelApi = {
  ...{ endpoint: "api/chat", style: ollamaStyle, translate: translateChat },
  ...{ streams: "by default", framing: "lines" },
};
const GENERATE: ModelApi = {
  ...{ endpoint: "api/generate", style: ollamaStyle, translate: translateGenerate },
  ...{ streams: "by default", framing: "lines" },
};
const EMBED: ModelApi = {
  ...{ endpoint: "api/embed", style: ollamaStyle, translate: translateEmbed },
  streams: "never",
};

interface OllamaRoute extends Omit<ModelRoute, "events"> {
  /** The lines of the example stream, if the answer can be streamed. */
  lines?: readonly object[];
}

/** Returns the declaration of a route whose requests are asks. */
function ollamaRoute(path: `/${string}`, { lines, description = TRANSLATED, ...declared }: OllamaRoute) {
  const text = lines?.map((line) => `${JSON.stringify(line)}\n`).join("");
  const stream = text ? { "application/x-ndjson": { description: LINES, example: text } } : undefined;
  return askRoute({ path, style: ollamaStyle, answered: "The answer", stream }, { ...declared, description });
}

const count = z.number().nullish();
const text = z.string().nullish();
const metrics = { total_duration: count, load_duration: count, prompt_eval_count: count };
const answer = (id: string, fields: z.ZodRawShape) => z.looseObject(fields).meta({ id });
const answerFields = {
  ...{ model: text, created_at: text, done: z.boolean().nullish(), done_reason: text, ...metrics },
  ...{ prompt_eval_duration: count, eval_count: count, eval_duration: count },
};
const ChatAnswer = answer("OllamaChat", {
  ...answerFields,
  message: z.looseObject({ role: text, content: text }).nullish(),
});
const GenerateAnswer = answer("OllamaGenerate", { ...answerFields, response: text });
const EmbedAnswer = answer("OllamaEmbed", {
  model: text,
  embeddings: z.array(z.array(z.number())).nullish(),
  ...metrics,
});
const EmbeddingsAnswer = answer("OllamaEmbeddings", { embedding: z.array(z.number()).nullish() });

const STARTED = { model: MODEL, created_at: SAMPLE.time };
const ENDED = {
  ...{ done: true, done_reason: "stop", total_duration: 812_000_000, load_duration: 0 },
  ...{ prompt_eval_count: 8, prompt_eval_duration: 190_000_000, eval_count: 3, eval_duration: 622_000_000 },
};
const said = (content: string) => ({ message: { role: "assistant", content } });
const LIMITS = ["options.num_predict"] as const;

const ROUTES = {
  ollamaChat: ollamaRoute("/api/chat", {
    outputLimits: LIMITS,
    summary: "Chat, Ollama-style",
    body: ChatBody,
    fields: { messages: [{ role: "user", content: "Hello" }] },
    answer: ChatAnswer,
    example: { ...STARTED, ...said("Hello!"), ...ENDED },
    lines: [
      { ...STARTED, ...said("Hello!"), done: false },
      { ...STARTED, ...said(""), ...ENDED },
    ],
  }),
  ollamaGenerate: ollamaRoute("/api/generate", {
    outputLimits: LIMITS,
    summary: "Complete a prompt, Ollama-style",
    body: GenerateBody,
    fields: { prompt: "Hello" },
    answer: GenerateAnswer,
    example: { ...STARTED, response: "Hello!", ...ENDED },
    lines: [
      { ...STARTED, response: "Hello!", done: false },
      { ...STARTED, response: "", ...ENDED },
    ],
  }),
  ollamaEmbed: ollamaRoute("/api/embed", {
    outputLimits: null,
    summary: "Create embeddings, Ollama-style",
    body: EmbedBody,
    fields: { input: ["Hello"] },
    answer: EmbedAnswer,
    example: { model: MODEL, embeddings: [[0.0123, -0.0456]], total_duration: 14_000_000, load_duration: 0 },
  }),
  ollamaEmbeddings: ollamaRoute("/api/embeddings", {
    outputLimits: null,
    summary: "Create an embedding, in Ollama's older form",
    description: "`/api/embed` for one text.",
    body: EmbeddingsBody,
    fields: { prompt: "Hello" },
    answer: EmbeddingsAnswer,
    example: { embedding: [0.0123, -0.0456] },
  }),
};

type OllamaDeps = ModelDeps & ModelListDeps;

/** The routes of Ollama's own API that ask a model: https://docs.ollama.com/api. */
export const ollamaRoutes = resource("Ollama", ROUTES).handledBy((deps: OllamaDeps) => ({
  ollamaChat: (request) =>
    hasItems(request.json, "messages") ? answerModelRequest(deps, CHAT, request) : load(deps, request, CHAT),
  ollamaGenerate: (request) =>
    hasItems(request.json, "prompt") || hasItems(request.json, "suffix")
      ? answerModelRequest(deps, GENERATE, request)
      : load(deps, request, GENERATE),
  ollamaEmbed: (request) =>
    hasItems(request.json, "input") ? answerModelRequest(deps, EMBED, request) : embedNothing(deps, request),
  ollamaEmbeddings: (request) => embedOne(deps, request),
}));

/** Whether a field of a body is a list or a text that is not empty, or something that is wrong there. */
function hasItems(body: unknown, name: string): boolean {
  const value = field(body, name) ?? "";
  return typeof value === "string" || Array.isArray(value) ? value.length > 0 : true;
}

function nameOf(deps: OllamaDeps, { caller, body, exchange }: ApiRequest): string {
  const { model } = NamedModel.safeParse(body).data ?? {};
  if (model === undefined)
    throw new AppError("request_invalid", { param: "model", hint: "`model` is missing." });
  exchange.model = requireModel(deps, caller, model).id;
  return model;
}

function load(deps: OllamaDeps, request: ApiRequest, { endpoint }: ModelApi): Response {
  const model = nameOf(deps, request);
  const isChat = endpoint === "api/chat";
  const keepAlive = field(request.json, "keep_alive");
  return loaded({ model, isChat, stream: request.body.stream ?? true, keepAlive }, deps.now());
}

/** An Ollama has no vectors for no text, and no error. */
function embedNothing(deps: OllamaDeps, request: ApiRequest): Response {
  const model = nameOf(deps, request);
  return json({ model, embeddings: [], total_duration: 0, load_duration: 0 });
}

async function embedOne(deps: OllamaDeps, request: ApiRequest): Promise<Response> {
  if (field(request.json, "input") !== undefined) {
    const hint =
      "This is Ollama's route, which takes `prompt`. For `input` use `/api/embed`, or `/v1/embeddings` of OpenAI.";
    throw new AppError("request_invalid", { param: "input", hint });
  }
  if (!hasItems(request.json, "prompt")) {
    nameOf(deps, request);
    return json({ embedding: [] });
  }
  const { prompt, ...rest } = request.json as Record<string, unknown>;
  if (typeof prompt !== "string")
    throw new AppError("request_invalid", {
      param: "prompt",
      hint: "`prompt` is not valid: expected a text. For several texts use `/api/embed`.",
    });
  const body = { ...rest, input: prompt };
  const asked = { ...request, json: body, text: JSON.stringify(body) };
  const response = await answerModelRequest(deps, EMBED, asked);
  if (!response.ok) return response;
  const embedding = field(field(await response.json(), "embeddings"), "0");
  // Callers would store an empty vector without a word.
  if (!Array.isArray(embedding))
    throw new AppError("agent_answer_invalid", { hint: "The agent's upstream sent no embedding." });
  return json({ embedding });
}

const json = (value: object) => new Response(JSON.stringify(value), { headers: JSON_HEADERS });
