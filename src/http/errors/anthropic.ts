import type { AppError } from "../../errors.ts";
import { messagesErrorBody, messagesErrorType } from "./anthropic-type.ts";
import { publicMessage } from "./openai.ts";
import { STATUS } from "./status.ts";
import type { Surface } from "./surface.ts";

function messagesError(error: AppError, status: number, requestId: string) {
  const type = messagesErrorType(status);
  const details = error.extra?.["details"];
  return messagesErrorBody({ type, message: publicMessage(error), details, requestId });
}

/** Anthropic's messages: https://docs.anthropic.com/en/api/errors. */
export const messagesSurface: Surface = {
  errorBody: messagesError,
  streamError: (error, requestId) => [
    { event: "error", data: JSON.stringify(messagesError(error, STATUS[error.code], requestId)) },
  ],
  speaks: (body) => typeof body === "object" && body !== null && "type" in body && body.type === "error",
  quietText: 'event: ping\ndata: {"type":"ping"}\n\n',
};
