/** Of https://platform.claude.com/docs/en/api/errors: what SDKs and Claude Code decide by. */
export type MessagesErrorType =
  | "invalid_request_error"
  | "authentication_error"
  | "billing_error"
  | "permission_error"
  | "not_found_error"
  | "request_too_large"
  | "rate_limit_error"
  | "timeout_error"
  | "api_error"
  | "overloaded_error";

const BY_STATUS: Record<number, MessagesErrorType | undefined> = {
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

/** For an error that is told before the first event. */
export function messagesErrorType(status: number): MessagesErrorType {
  return BY_STATUS[status] ?? (status >= 400 && status < 500 ? "invalid_request_error" : "api_error");
}

/** OpenAI-style codes and types that say more than that something failed. */
const BY_NAME = new Map<string | null, MessagesErrorType>([
  ["invalid_api_key", "authentication_error"],
  ["insufficient_quota", "billing_error"],
  ["model_not_found", "not_found_error"],
  ["request_too_large", "request_too_large"],
  ["rate_limit_exceeded", "rate_limit_error"],
  ["no_agent_available", "overloaded_error"],
  ["queue_full", "overloaded_error"],
  ["server_draining", "overloaded_error"],
  ["agent_timeout", "timeout_error"],
  ["invalid_request_error", "invalid_request_error"],
  ["authentication_error", "authentication_error"],
  ["permission_error", "permission_error"],
  ["not_found_error", "not_found_error"],
  ["rate_limit_error", "rate_limit_error"],
  ["overloaded_error", "overloaded_error"],
]);

/** For an error that is known by its OpenAI-style names only, as one in the middle of a stream. */
export function messagesErrorTypeNamed(type: string, code: string | null): MessagesErrorType {
  return BY_NAME.get(code) ?? BY_NAME.get(type) ?? "api_error";
}

/** The body of an error, and the data of the event `error` that ends a stream. */
export function messagesErrorBody({
  type,
  message,
  details,
  requestId,
}: {
  type: MessagesErrorType;
  message: string;
  /** What packages decide by, where the type says too little. */
  details?: unknown;
  requestId?: string | undefined;
}) {
  const error = { type: "error", error: { type, message, ...(details !== undefined && { details }) } };
  return requestId === undefined ? error : { ...error, request_id: requestId };
}
