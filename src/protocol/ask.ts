import { z } from "zod";

/**
 * What a caller sends to `POST /api/ask`. Unknown keys are dropped and `null` means absent, as in the
 * reference; empty content is refused, which the reference relays.
 */
const optionalText = z
  .string()
  .nullish()
  .transform((value) => value || undefined);

export const AskBody = z.object({
  content: z.string().min(1),
  message_id: optionalText,
  conversation_id: optionalText,
  parent_id: optionalText,
});
export type AskBody = z.output<typeof AskBody>;
