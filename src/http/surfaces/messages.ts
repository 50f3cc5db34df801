import type { AppError } from "../../errors.ts";
import { STATUS } from "../status.ts";
import { publicMessage } from "./openai.ts";
import type { Surface } from "./surface.ts";

/** Anthropic's: https://docs.anthropic.com/en/api/errors. */
const TYPES: Record<number, string> = {
  400: "invalid_request_error",
  401: "authentication_error",
  403: "permission_error",
  404: "not_found_error",
  413: "request_too_large",
  429: "rate_limit_error",
  503: "overloaded_error",
  529: "overloaded_error",
};

function messagesError(error: AppError, status: number, requestId: string) {
  const type = TYPES[status] ?? (status < 500 ? "invalid_request_error" : "api_error");
  return { type: "error", error: { type, message: publicMessage(error) }, request_id: requestId };
}

export const messagesSurface: Surface = {
  errorBody: messagesError,
  streamError: (error, requestId) => [
    { event: "error", data: JSON.stringify(messagesError(error, STATUS[error.code], requestId)) },
  ],
  speaks: (body) => typeof body === "object" && body !== null && "type" in body && body.type === "error",
  quietText: 'event: ping\ndata: {"type":"ping"}\n\n',
};
