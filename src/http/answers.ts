import { z } from "zod";

const text = z.string();
const time = z.iso.datetime({ offset: true });

/** The answer of `/api/ask`. All five fields are always there, empty if there is nothing to say. */
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
