import { z } from "zod";
import { NamedModel } from "../schema.ts";

/**
 * The bodies of Ollama's own API, as far as a translation reads them: https://docs.ollama.com/api. A missing field and
 * `null` are the same, and fields of no interest here are left in.
 */
const number = z.number().nullish();
const text = z.string().nullish();
const images = z.array(z.string()).nullish();

const ToolCall = z.looseObject({
  id: text,
  function: z.looseObject({
    name: z.string(),
    arguments: z.union([z.record(z.string(), z.unknown()), z.string()]).nullish(),
  }),
});

const Message = z.looseObject({
  role: z.string().transform((role) => role.toLowerCase()),
  content: text,
  thinking: text,
  images,
  tool_calls: z.array(ToolCall).nullish(),
  tool_name: text,
  tool_call_id: text,
});
export type Message = z.output<typeof Message>;

const Options = z.looseObject({
  temperature: number,
  top_p: number,
  top_k: number,
  min_p: number,
  typical_p: number,
  seed: number,
  stop: z.union([z.string(), z.array(z.string())]).nullish(),
  num_predict: number,
  presence_penalty: number,
  frequency_penalty: number,
  repeat_penalty: number,
  mirostat: number,
});
export type Options = z.output<typeof Options>;

const keepAlive = z.union([z.number(), z.string()]).nullish();
const KEEP_ALIVE =
  "How long the model stays in memory after this. An upstream that is not an Ollama decides itself.";
const STREAM = "Default: true.";

const general = {
  ...NamedModel.shape,
  stream: z.boolean().nullish().describe(STREAM),
  think: z
    .union([z.boolean(), z.string()])
    .nullish()
    .describe("Whether the model thinks first, or how much: `low`, `medium` or `high`."),
  format: z
    .union([z.string(), z.looseObject({})])
    .nullish()
    .describe("The form of the answer: `json`, or a JSON schema."),
  options: Options.nullish().describe("Parameters of the model, such as `temperature` and `num_predict`."),
  keep_alive: keepAlive.describe(KEEP_ALIVE),
  logprobs: z.boolean().nullish().describe("Whether the answer has the log probabilities of its tokens."),
  top_logprobs: number.describe("How many of the likeliest tokens each of them comes with."),
};

export const ChatBody = z.looseObject({
  ...general,
  messages: z
    .array(Message)
    .nullish()
    .describe("The conversation so far. Without one, the model is only loaded."),
  tools: z
    .array(z.looseObject({ function: z.looseObject({ name: z.string() }) }))
    .nullish()
    .describe("The tools that the model may call."),
});
export type ChatBody = z.output<typeof ChatBody>;

export const GenerateBody = z.looseObject({
  ...general,
  prompt: text.describe("The prompt. Without one, the model is only loaded."),
  suffix: text.describe("The text after the answer."),
  system: text.describe("The system prompt."),
  images: images.describe("Images in base64."),
  raw: z.boolean().nullish().describe("Whether the prompt is used as it is, without a template."),
  template: text.describe("Replaces the template of the model."),
  context: z.array(z.number()).nullish().describe("The numbers of an earlier answer, which it continues."),
});
export type GenerateBody = z.output<typeof GenerateBody>;

export const EmbedBody = z.looseObject({
  ...NamedModel.shape,
  input: z
    .union([z.string(), z.array(z.string())])
    .nullish()
    .describe("A text, or several."),
  dimensions: number.describe("The length of the vectors."),
  keep_alive: keepAlive.describe(KEEP_ALIVE),
});

export const EmbeddingsBody = z.looseObject({
  ...NamedModel.shape,
  prompt: text.describe("The text."),
  keep_alive: keepAlive.describe(KEEP_ALIVE),
});
