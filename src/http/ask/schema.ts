import { z } from "zod";

const text = z.string();
const optionalText = text.nullish().transform((value) => value?.toWellFormed() || undefined);

/** Bounds what the server stores under such an id. */
const ID_LENGTH_MAX = 256;
const optionalId = text
  .max(ID_LENGTH_MAX)
  .nullish()
  .transform((value) => value?.toWellFormed() || undefined);

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
  message_id: optionalId.describe("Your id of the message. Made up if missing."),
  conversation_id: optionalText.describe("The conversation to continue."),
  parent_id: optionalText.describe("The `response_id` to continue from. Earlier ones begin a branch."),
  model: optionalText.describe("Only an agent that offers this model answers."),
  stream: z.boolean().nullish().describe("Send the answer as it is made."),
});
export type AskBody = z.output<typeof AskBody>;

/** The answer of `POST /api/ask`. All five fields are always there, empty if there is nothing to say. */
export const AskAnswer = z
  .strictObject({ id: text, response_id: text, conversation_id: text, content: text, error: text })
  .meta({ id: "AskAnswer" });
