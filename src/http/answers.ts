import { z } from "zod";

/**
 * What callers are answered, for those who describe it and those who check it. The server writes these bodies by
 * hand; that they are so is what the HTTP tests see to, answer by answer.
 */
const text = z.string();
const time = z.iso.datetime({ offset: true });

/** Of `/api/ask`, whole: all five are there, empty where there is nothing to say. */
export const AskAnswer = z
  .strictObject({ id: text, response_id: text, conversation_id: text, content: text, error: text })
  .meta({ id: "AskAnswer" });

export const Connections = z
  .strictObject({
    connections: z.array(
      z.strictObject({ Ws: z.strictObject({}), Id: text, Heartbeat: time, LastMessageTime: time }),
    ),
  })
  .meta({ id: "Connections" });

export const Ready = z.strictObject({ status: z.literal("ready") }).meta({ id: "Ready" });

export const NotReady = z
  .strictObject({ status: z.literal("not ready"), reasons: z.array(text).min(1) })
  .meta({ id: "NotReady" });

/** Of the reference's routes and those beside them. `err`, `response` and `message` are the reference's further keys. */
export const TextError = z
  .strictObject({
    error: text,
    hint: text.optional(),
    err: text.optional(),
    message: text.optional(),
    response: z.looseObject({}).optional(),
  })
  .meta({ id: "TextError" });

/** Upstreams have keys of their own in it, and some give a number for the code. */
export const OpenAIError = z
  .looseObject({
    error: z.looseObject({
      message: text,
      type: text.nullish(),
      param: text.nullish(),
      code: z.union([text, z.number()]).nullish(),
      request_id: text.optional(),
    }),
  })
  .meta({ id: "OpenAIError" });

export const MessagesError = z
  .looseObject({
    type: z.literal("error"),
    error: z.looseObject({ type: text, message: text }),
    request_id: text.optional(),
  })
  .meta({ id: "MessagesError" });
