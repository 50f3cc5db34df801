import { z } from "zod";
import { text } from "../values.ts";

const optional = (type: z.ZodString) =>
  type.nullish().transform((value) => value?.toWellFormed() || undefined);

/** Bounds what the server stores under such an id. */
const ID_LENGTH_MAX = 256;

/**
 * The body of `POST /api/ask`. As for the Go server, unknown keys are dropped, `null` means absent, and what
 * is not Unicode becomes U+FFFD. Empty content is refused, which the Go server relays. `model` and `stream`
 * are ours.
 */
export const AskBody = z.object({
  content: text
    .min(1)
    .transform((value) => value.toWellFormed())
    .describe("The question."),
  message_id: optional(text.max(ID_LENGTH_MAX)).describe("Your id of the message. Made up if missing."),
  conversation_id: optional(text).describe("The conversation to continue."),
  parent_id: optional(text).describe("The `response_id` to continue from. Earlier ones begin a branch."),
  model: optional(text).describe("Only an agent that offers this model answers."),
  stream: z.boolean().nullish().describe("Send the answer as it is made."),
});
export type AskBody = z.output<typeof AskBody>;

/** Reads a body as `AskBody` does, in a tenth of the time. Undefined if it is for the schema to judge. */
export function plainAsk(value: unknown): AskBody | undefined {
  const { content, message_id, conversation_id, parent_id, model, stream } = (value ?? {}) as Fields;
  if (typeof content !== "string" || content === "" || Array.isArray(value)) return undefined;
  if (!isText(message_id) || !isText(conversation_id) || !isText(parent_id) || !isText(model))
    return undefined;
  if (message_id !== undefined && message_id.length > ID_LENGTH_MAX) return undefined;
  if (stream !== undefined && typeof stream !== "boolean") return undefined;
  return {
    content: content.toWellFormed(),
    message_id: known(message_id),
    conversation_id: known(conversation_id),
    parent_id: known(parent_id),
    model: known(model),
    stream,
  };
}

type Fields = Partial<Record<keyof AskBody, unknown>>;

const isText = (value: unknown): value is string | undefined =>
  value === undefined || typeof value === "string";

const known = (value: string | undefined) => value?.toWellFormed() || undefined;
