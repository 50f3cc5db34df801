import { z } from "zod";

/**
 * What a caller sends to `POST /api/ask`. Unknown keys are dropped, `null` means absent, and what is no
 * Unicode becomes U+FFFD, as in the reference; empty content is refused, which the reference relays.
 */
const optionalText = z
  .string()
  .nullish()
  .transform((value) => value?.toWellFormed() || undefined);

export const AskBody = z.object({
  content: z
    .string()
    .min(1)
    .transform((value) => value.toWellFormed()),
  message_id: optionalText,
  conversation_id: optionalText,
  parent_id: optionalText,
});
export type AskBody = z.output<typeof AskBody>;
