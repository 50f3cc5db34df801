import { z } from "zod";

/**
 * A frame of v1, the agent protocol of the reference server: a text frame with a JSON object of three
 * strings. Source: what ChatGPT-API-server and its Firefox and Python agents send.
 */
export type V1ServerFrame = { id: string; message: string; data: string };

/** The `message` of each frame that the server sends. Agents log an unknown one and ignore it. */
export const V1_MESSAGE = {
  hello: "Connection id",
  ping: "ping",
  ask: "ChatGptRequest",
  drain: "drain",
} as const;

/** A frame of an agent. Only `id` and `data` are used: `message` and any other field may be anything. */
export const V1AgentFrame = z.object({
  id: z.string(),
  message: z.unknown().optional(),
  data: z.unknown().optional(),
});
export type V1AgentFrame = z.output<typeof V1AgentFrame>;

/** The JSON in the `data` of a request, with the reference's order of keys. */
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

/** The JSON in the `data` of an answer, and the body for the caller, with the reference's order of keys. */
export const V1Answer = z.object({
  id: text,
  response_id: text,
  conversation_id: text,
  content: text,
  error: text,
});
export type V1Answer = z.output<typeof V1Answer>;
