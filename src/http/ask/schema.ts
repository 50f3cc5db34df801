import { z } from "zod";

/**
 * What a caller sends to `POST /api/ask`. Unknown keys are dropped, `null` means absent, and what is no
 * Unicode becomes U+FFFD, as in the reference; empty content is refused, which the reference relays. `model`
 * and `stream` are ours.
 */
const optionalText = z
  .string()
  .nullish()
  .transform((value) => value?.toWellFormed() || undefined);

/** What the server keeps under it must stay small. */
const ID_LENGTH_MAX = 256;
const optionalId = z
  .string()
  .max(ID_LENGTH_MAX)
  .nullish()
  .transform((value) => value?.toWellFormed() || undefined);

export const AskBody = z.object({
  content: z
    .string()
    .min(1)
    .transform((value) => value.toWellFormed()),
  message_id: optionalId,
  conversation_id: optionalText,
  parent_id: optionalText,
  model: optionalText,
  stream: z.boolean().nullish(),
});
export type AskBody = z.output<typeof AskBody>;
