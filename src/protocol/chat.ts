import { z } from "zod";

/**
 * A message of a chat completion. This file has only the parts of OpenAI's chat completions that the server
 * reads to keep a conversation: https://platform.openai.com/docs/api-reference/chat. Upstreams differ in the
 * rest.
 */
export interface ChatMessage {
  role: "user" | "assistant";
  content: string;
}

/** A text, or a list of parts: see `readParts`. */
const content = z.union([z.string(), z.array(z.unknown()), z.looseObject({})]).nullish();
const finish_reason = z.string().nullish().catch(undefined);

/** The data of one event of a streamed answer. */
export const ChatChunk = z.object({
  choices: z.array(z.object({ delta: z.object({ content }).nullish(), finish_reason })).nullish(),
  error: z.unknown().optional(),
});

/** The body of an answer that is not streamed, or of an error. */
export const ChatCompletion = z.object({
  choices: z.array(z.object({ message: z.object({ content }).nullish(), finish_reason })).nullish(),
  error: z.unknown().optional(),
});

export const CHAT_STREAM_END = "[DONE]";
