import { z } from "zod";
import { field, textField } from "../json/parse.ts";

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

const part = z.object({ content }).nullish();
/** Some upstreams answer as they do for `/v1/completions`. */
const text = z.string().nullish().catch(undefined);
const index = z.number().nullish().catch(undefined);

/** A chunk of a streamed answer, or a whole answer, as far as its text is read. */
export const ChatAnswer = z.object({
  choices: z.array(z.object({ index, delta: part, message: part, text, finish_reason })).nullish(),
});

/** Whether a value has one of the fields by which a chunk, or a whole chat completion, is known. */
export function isChat(value: unknown): boolean {
  return (
    field(value, "choices") !== undefined ||
    field(value, "usage") !== undefined ||
    field(value, "object") === "chat.completion.chunk"
  );
}

const PINGS: ReadonlySet<string> = new Set(["ping", "keepalive", "keep-alive", "heartbeat"]);

/**
 * Whether an event only says that the upstream is alive: by its name, or by the type of its value. Gateways in
 * front of Anthropic's API send such events.
 */
export const isPing = (event: string | undefined, value: unknown): boolean =>
  PINGS.has(event || (textField(value, "type") ?? ""));

export const CHAT_STREAM_END = "[DONE]";
