import { z } from "zod";

/**
 * The reference server's agent protocol ("v1"): JSON objects of three strings in text frames. Source:
 * the wire of ChatGPT-API-server and of its Firefox and Python agents.
 */
export type V1ServerFrame = { id: string; message: string; data: string };

/** `message` of each frame the server sends. Agents only log names they do not know. */
export const V1_MESSAGE = {
  hello: "Connection id",
  ping: "ping",
  ask: "ChatGptRequest",
  drain: "drain",
} as const;

/** Of an agent's frame only `id` and `data` count; `message` may be anything, `error` too. */
export const V1AgentFrame = z.object({
  id: z.string(),
  message: z.unknown().optional(),
  data: z.unknown().optional(),
});
export type V1AgentFrame = z.output<typeof V1AgentFrame>;

/** The JSON in `data` of a request, in the reference's order of keys. */
export interface V1Request {
  message_id: string;
  /** Empty for a new conversation. */
  conversation_id: string;
  parent_id: string;
  content: string;
}

const text = z
  .string()
  .nullish()
  .transform((value) => value?.toWellFormed() ?? "");

/** The JSON in `data` of an answer, and the body a caller gets, in the reference's order of keys. */
export const V1Answer = z.object({
  id: text,
  response_id: text,
  conversation_id: text,
  content: text,
  error: text,
});
export type V1Answer = z.output<typeof V1Answer>;
