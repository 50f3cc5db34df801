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

const content = z.string().nullish();
const error = z.object({ message: z.string().nullish() }).or(z.string());

/** The data of one event of a streamed answer. */
export const ChatChunk = z.object({
  choices: z.array(z.object({ delta: z.object({ content }).nullish() })).nullish(),
  error: error.nullish(),
});

/** The body of an answer that is not streamed, or of an error. */
export const ChatCompletion = z.object({
  choices: z.array(z.object({ message: z.object({ content }).nullish() })).nullish(),
  error: error.nullish(),
});

export const CHAT_STREAM_END = "[DONE]";

export function errorMessage(given: z.output<typeof error>): string {
  return typeof given === "string" ? given : (given.message ?? "unknown error");
}
