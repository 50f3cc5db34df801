import { z } from "zod";

/**
 * The fields that the server itself reads of the body of a model request. All others are for the upstream.
 * The body passes through untouched, so nothing is transformed here.
 */
export const ModelAskBody = z.object({
  model: z.string().min(1).max(256).describe("One of `GET /v1/models`."),
  stream: z.boolean().nullish().describe("Send the answer as it is made."),
  stream_options: z
    .looseObject({ include_usage: z.boolean().nullish() })
    .nullish()
    .describe("`include_usage` asks for a last event with the counted tokens."),
});
export type ModelAskBody = z.output<typeof ModelAskBody>;

/**
 * The answers of the model routes. An upstream's answer is passed on unchanged, and upstreams differ, so
 * these say what is usually there and promise nothing.
 */
const text = z.string();
const optionalText = text.nullish();
const count = z.number().nullish();

const Usage = z
  .looseObject({ prompt_tokens: count, completion_tokens: count, total_tokens: count })
  .nullish();
const upstreamFields = { id: optionalText, object: optionalText, created: count, model: optionalText };

const ChatMessage = z.looseObject({ role: optionalText, content: z.unknown().optional() });
const ChatChoice = z.looseObject({
  index: count,
  message: ChatMessage.nullish(),
  finish_reason: optionalText,
});
export const ChatAnswer = z
  .looseObject({ ...upstreamFields, choices: z.array(ChatChoice).nullish(), usage: Usage })
  .meta({ id: "ChatCompletion" });

const TextChoice = z.looseObject({ index: count, text: optionalText, finish_reason: optionalText });
export const CompletionAnswer = z
  .looseObject({ ...upstreamFields, choices: z.array(TextChoice).nullish(), usage: Usage })
  .meta({ id: "Completion" });

const Embedding = z.looseObject({ index: count, embedding: z.array(z.number()).or(text).nullish() });
export const EmbeddingsAnswer = z
  .looseObject({
    object: optionalText,
    model: optionalText,
    data: z.array(Embedding).nullish(),
    usage: Usage,
  })
  .meta({ id: "Embeddings" });

const Tokens = z.looseObject({ input_tokens: count, output_tokens: count }).nullish();
const typed = z.looseObject({ type: optionalText });

export const ResponsesAnswer = z
  .looseObject({
    id: optionalText,
    object: optionalText,
    status: optionalText,
    model: optionalText,
    output: z.array(typed).nullish(),
    usage: Tokens,
  })
  .meta({ id: "Response" });

export const MessagesAnswer = z
  .looseObject({
    id: optionalText,
    type: optionalText,
    role: optionalText,
    model: optionalText,
    content: z.array(typed).nullish(),
    stop_reason: optionalText,
    usage: Tokens,
  })
  .meta({ id: "Message" });

export const TokenCount = z.looseObject({ input_tokens: count }).meta({ id: "TokenCount" });
