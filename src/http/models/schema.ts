import { z } from "zod";

/**
 * The little that the server reads of an OpenAI-style request; all the rest is the upstream's. Bodies pass
 * through untouched, so nothing is transformed here.
 */
export const ModelAskBody = z.object({
  model: z.string().min(1).max(256),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
});
export type ModelAskBody = z.output<typeof ModelAskBody>;

/** The little that it reads of a streamed chunk. */
export const UsageChunk = z.object({
  choices: z.array(z.unknown()).nullish(),
  usage: z.unknown().optional(),
});

/** One entry of `GET /v1/models`: https://platform.openai.com/docs/api-reference/models/object. */
export interface ModelObject {
  id: string;
  object: "model";
  /** In seconds since 1970. */
  created: number;
  owned_by: string;
}
