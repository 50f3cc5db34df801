import { type AnthropicErrorType, type AppError, ERRORS } from "../../errors.ts";
import { field } from "../../json/parse.ts";
import type { ServerEvent } from "../middleware/event-stream.ts";
import { hasMessage, publicMessage } from "./openai.ts";
import { isPassedOn } from "./response.ts";
import type { ErrorStyle } from "./style.ts";

const BY_STATUS: Record<number, AnthropicErrorType | undefined> = {
  401: "authentication_error",
  402: "billing_error",
  403: "permission_error",
  404: "not_found_error",
  408: "timeout_error",
  413: "request_too_large",
  429: "rate_limit_error",
  503: "overloaded_error",
  504: "timeout_error",
  529: "overloaded_error",
};

/** Returns the type that belongs to an upstream's status. */
export function anthropicTypeOfStatus(status: number): AnthropicErrorType {
  return BY_STATUS[status] ?? (status >= 400 && status < 500 ? "invalid_request_error" : "api_error");
}

/** Anthropic's types for the codes and types of OpenAI-style upstreams, where they say more than `api_error`. */
const BY_NAME = new Map<string | null | undefined, AnthropicErrorType>([
  // The upstream may be a server like this one.
  ...Object.values(ERRORS)
    .filter(({ openaiCode, anthropicType }) => openaiCode !== null && anthropicType !== "api_error")
    .map(({ openaiCode, anthropicType }) => [openaiCode, anthropicType] as const),
  ["insufficient_quota", "billing_error"],
  ["invalid_request_error", "invalid_request_error"],
  ["authentication_error", "authentication_error"],
  ["permission_error", "permission_error"],
  ["not_found_error", "not_found_error"],
  ["rate_limit_error", "rate_limit_error"],
  ["overloaded_error", "overloaded_error"],
]);

/** Returns the type of an upstream's error in the middle of a stream, where it has no status. */
export function anthropicTypeNamed(
  type: string | null | undefined,
  code: string | null | undefined,
): AnthropicErrorType | undefined {
  return BY_NAME.get(code) ?? BY_NAME.get(type);
}

interface AnthropicError {
  type: AnthropicErrorType;
  message: string;
  /** Further details that some packages read. */
  details?: unknown;
}
type AnthropicErrorBody = { type: "error"; error: AnthropicError; request_id?: string | undefined };

/** Returns the body of an error, which is also the data of the event `error` that ends a stream. */
export function anthropicErrorBody(error: AnthropicError, requestId?: string): AnthropicErrorBody {
  return { type: "error", error, request_id: requestId };
}

function errorBody(error: AppError, type: AnthropicErrorType, requestId: string) {
  const details = error.extra?.["details"];
  return anthropicErrorBody({ type, message: publicMessage(error), details }, requestId);
}

/** Returns the event that ends a stream. */
export function anthropicErrorEvent(error: AppError, requestId: string): ServerEvent {
  const { upstream, code } = error;
  const { status } = upstream ?? {};
  const type =
    anthropicTypeNamed(upstream?.type, upstream?.code) ??
    (status !== undefined && isPassedOn({ ...upstream, status })
      ? anthropicTypeOfStatus(status)
      : ERRORS[code].anthropicType);
  return { event: "error", data: JSON.stringify(errorBody(error, type, requestId)) };
}

/** The style of Anthropic's messages: https://platform.claude.com/docs/en/api/errors. */
export const anthropicStyle: ErrorStyle = {
  body: (error, status, requestId) => {
    // An upstream's status may replace that of the error code.
    const { status: ownStatus, anthropicType } = ERRORS[error.code];
    const type = status === ownStatus ? anthropicType : anthropicTypeOfStatus(status);
    return errorBody(error, type, requestId);
  },
  streamEvent: anthropicErrorEvent,
  hasStyle: (body) => field(body, "type") === "error" && hasMessage(field(body, "error")),
  keepAlive: 'event: ping\ndata: {"type":"ping"}\n\n',
};
