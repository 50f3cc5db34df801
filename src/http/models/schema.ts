import { z } from "zod";

const MODEL_LENGTH_MAX = 256;
const ModelName = z.string().min(1).max(MODEL_LENGTH_MAX).describe("One of `GET /v1/models`.");

/** The name of the model that is asked, which may be in the path instead of the body. */
export const NamedModel = z.object({ model: ModelName });

/**
 * The fields that the server itself reads of the body of a model request. All others are for the upstream.
 * The body passes through untouched, so nothing is transformed here.
 */
export const ModelAskBody = z.object({
  model: ModelName.optional(),
  stream: z.boolean().nullish().describe("Send the answer as it is made."),
  stream_options: z
    .looseObject({ include_usage: z.boolean().nullish() })
    .nullish()
    .describe("`include_usage` asks for a last event with the counted tokens."),
});
export type ModelAskBody = z.output<typeof ModelAskBody>;

/** Reads a body as `ModelAskBody` does, in a tenth of the time. Undefined if it is for the schema to judge. */
export function plainModelAsk(value: unknown): ModelAskBody | undefined {
  const { model, stream, stream_options } = (value ?? {}) as Partial<Record<keyof ModelAskBody, unknown>>;
  if (typeof value !== "object" || Array.isArray(value) || stream_options !== undefined) return undefined;
  if (typeof model !== "string" || model === "" || model.length > MODEL_LENGTH_MAX) return undefined;
  return stream === undefined || typeof stream === "boolean" ? { model, stream } : undefined;
}

const text = z.string().nullish();
const count = z.number().nullish();

const Usage = z
  .looseObject({ prompt_tokens: count, completion_tokens: count, total_tokens: count })
  .nullish();
const completionFields = { id: text, object: text, created: count, model: text };

const ChatMessage = z.looseObject({ role: text, content: z.unknown().optional() });
const ChatChoice = z.looseObject({ index: count, message: ChatMessage.nullish(), finish_reason: text });
const ChatChoices = z.array(ChatChoice).nullish();
const TextChoices = z.array(z.looseObject({ index: count, text, finish_reason: text })).nullish();
const Embedding = z.looseObject({ index: count, embedding: z.array(z.number()).or(z.string()).nullish() });
const Embeddings = z.array(Embedding).nullish();
const Tokens = z.looseObject({ input_tokens: count, output_tokens: count }).nullish();
const Parts = z.array(z.looseObject({ type: text })).nullish();

const Ranks = z.array(z.looseObject({ index: count, relevance_score: count })).nullish();
const Moderations = z.array(z.looseObject({ flagged: z.boolean().nullish() })).nullish();
const Pictures = z.array(z.looseObject({ url: text, b64_json: text })).nullish();

const answer = (id: string, fields: z.ZodRawShape) => z.looseObject(fields).meta({ id });

/**
 * The answers of the model routes. An upstream's answer is passed on unchanged, and upstreams differ, so
 * these say what is usually there and promise nothing.
 */
export const AnswerShape = {
  chat: answer("ChatCompletion", { ...completionFields, choices: ChatChoices, usage: Usage }),
  completion: answer("Completion", { ...completionFields, choices: TextChoices, usage: Usage }),
  embeddings: answer("Embeddings", { object: text, model: text, data: Embeddings, usage: Usage }),
  response: answer("Response", {
    id: text,
    object: text,
    status: text,
    model: text,
    output: Parts,
    usage: Tokens,
  }),
  message: answer("Message", {
    id: text,
    type: text,
    role: text,
    model: text,
    content: Parts,
    stop_reason: text,
    usage: Tokens,
  }),
  tokenCount: answer("TokenCount", { input_tokens: count }),
  ranking: answer("Ranking", { id: text, results: Ranks }),
  moderation: answer("Moderation", { id: text, model: text, results: Moderations }),
  tokens: answer("Tokens", { tokens: z.array(z.unknown()).nullish(), count }),
  text: answer("DetokenizedText", { prompt: text, content: text }),
  transcription: answer("Transcription", { text }),
  images: answer("Images", { created: count, data: Pictures }),
};
