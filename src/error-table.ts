/**
 * The error types of https://platform.claude.com/docs/en/api/errors, by which SDKs and Claude Code decide.
 */
export type AnthropicErrorType =
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

/**
 * Everything that the server knows about an error code. docs/api.md explains the codes to callers.
 */
interface ErrorRow {
  /**
   * The text for callers, without a full stop. Programs compare the Go server's texts, so those are kept to
   * the letter.
   */
  message: string;
  /**
   * Replaces `message` in the OpenAI and Anthropic styles, where the Go server's text would puzzle readers.
   */
  plainMessage?: string;
  status: number;
  openaiType: string;
  openaiCode: string | null;
  anthropicType: AnthropicErrorType;
  /** When to try again, unless the error itself knows better. */
  retryAfterMs?: number;
}

type Kind = Omit<ErrorRow, "message">;

const INVALID: Kind = {
  status: 400,
  openaiType: "invalid_request_error",
  openaiCode: null,
  anthropicType: "invalid_request_error",
};
const NO_ACCESS: Kind = {
  status: 401,
  openaiType: "invalid_request_error",
  openaiCode: "invalid_api_key",
  anthropicType: "authentication_error",
};
const FORBIDDEN: Kind = {
  status: 403,
  openaiType: "permission_error",
  openaiCode: null,
  anthropicType: "permission_error",
};
const NOT_FOUND: Kind = { ...INVALID, status: 404, anthropicType: "not_found_error" };
const RATE_LIMITED: Kind = {
  status: 429,
  openaiType: "rate_limit_error",
  openaiCode: "rate_limit_exceeded",
  anthropicType: "rate_limit_error",
};
const SERVER_FAILED: Kind = {
  status: 500,
  openaiType: "server_error",
  openaiCode: null,
  anthropicType: "api_error",
};
const AGENT_FAILED: Kind = {
  status: 502,
  openaiType: "upstream_error",
  openaiCode: "agent_error",
  anthropicType: "api_error",
};
const BUSY: Kind = {
  status: 503,
  openaiType: "server_error",
  openaiCode: null,
  anthropicType: "overloaded_error",
  retryAfterMs: 10_000,
};
const NO_AGENT: Kind = { ...BUSY, openaiCode: "no_agent_available" };

/** nginx's status for a caller who hung up: only the log ever shows it. */
const CALLER_GONE = 499;

const TABLE = {
  // What the caller sent.
  ask_invalid: { ...INVALID, message: "Invalid request" },
  body_invalid: { ...INVALID, message: "Invalid request body" },
  request_invalid: { ...INVALID, message: "Invalid request" },
  model_not_found: { ...NOT_FOUND, openaiCode: "model_not_found", message: "The model does not exist" },
  model_not_allowed: { ...FORBIDDEN, openaiCode: "model_not_allowed", message: "You may not use this model" },
  endpoint_unsupported: {
    ...NOT_FOUND,
    openaiCode: "endpoint_not_supported",
    message: "No agent can do this",
    plainMessage: "This endpoint is not available for this model",
  },
  request_untranslatable: {
    ...INVALID,
    openaiCode: "unsupported_parameter",
    message: "This request cannot be translated for any agent",
  },
  body_too_large: {
    ...INVALID,
    status: 413,
    openaiCode: "request_too_large",
    anthropicType: "request_too_large",
    message: "Request body too large",
  },
  body_timeout: { ...INVALID, status: 408, anthropicType: "timeout_error", message: "Request body too slow" },
  url_too_long: { ...INVALID, status: 414, message: "Request URL too long" },
  host_invalid: { ...INVALID, message: "Invalid Host header" },
  host_refused: { ...FORBIDDEN, message: "Host not allowed" },
  key_missing: { ...NO_ACCESS, message: "API key not provided" },
  key_unknown: { ...NO_ACCESS, message: "Invalid API key" },
  keys_differ: { ...NO_ACCESS, message: "Two different API keys provided" },
  admin_key_wrong: { ...NO_ACCESS, message: "Invalid admin key" },
  sign_in_code_wrong: { ...NO_ACCESS, message: "Invalid sign-in code" },
  key_failures: { ...RATE_LIMITED, retryAfterMs: 60_000, message: "Too many wrong keys" },
  address_busy: {
    ...RATE_LIMITED,
    retryAfterMs: 1_000,
    message: "Too many connections or requests from this address",
  },
  not_found: {
    ...NOT_FOUND,
    openaiCode: "not_found",
    message: "404 page not found",
    plainMessage: "There is no such path",
  },
  method_not_allowed: {
    ...INVALID,
    status: 405,
    openaiCode: "method_not_allowed",
    message: "405 method not allowed",
    plainMessage: "Method not allowed",
  },
  conversation_unknown: { ...NOT_FOUND, message: "Conversation doesn't exists" },
  parent_unknown: { ...NOT_FOUND, message: "Parent message doesn't exist" },
  conversation_full: {
    ...INVALID,
    openaiCode: "context_length_exceeded",
    message: "Conversation is too long",
  },
  caller_gone: { ...INVALID, status: CALLER_GONE, message: "Client closed request" },
  // What the pool cannot do now.
  no_agent: { ...NO_AGENT, message: "No available clients", plainMessage: "No agent is available" },
  ping_failed: { ...NO_AGENT, message: "Ping failed", plainMessage: "No agent is available" },
  conversation_agent_gone: {
    ...NO_AGENT,
    message: "Connection no longer exists",
    plainMessage: "The agent that has this conversation is no longer connected",
  },
  queue_full: {
    ...BUSY,
    openaiCode: "queue_full",
    retryAfterMs: 5_000,
    message: "Too many requests are waiting",
  },
  user_queue_full: { ...RATE_LIMITED, retryAfterMs: 5_000, message: "Too many of your requests are waiting" },
  draining: { ...BUSY, openaiCode: "server_draining", message: "Server is shutting down" },
  // What the caller's own limits forbid now.
  limit_requests: {
    ...RATE_LIMITED,
    retryAfterMs: 60_000,
    message: "Rate limit reached for requests per minute",
  },
  limit_tokens: { ...RATE_LIMITED, retryAfterMs: 60_000, message: "Rate limit reached for tokens per day" },
  limit_parallel: {
    ...RATE_LIMITED,
    retryAfterMs: 1_000,
    message: "Rate limit reached for parallel requests",
  },
  // What an agent did.
  agent_send_failed: {
    ...AGENT_FAILED,
    message: "Failed to send request to the client",
    plainMessage: "The request could not be sent to the agent",
  },
  agent_lost: {
    ...AGENT_FAILED,
    message: "Failed to read response from the client",
    plainMessage: "The agent was lost",
  },
  agent_timeout: {
    ...SERVER_FAILED,
    status: 504,
    openaiCode: "agent_timeout",
    anthropicType: "timeout_error",
    message: "Failed to read response from the client",
    plainMessage: "The agent did not answer in time",
  },
  agent_failed: { ...AGENT_FAILED, message: "The agent could not answer" },
  agent_answer_invalid: {
    ...AGENT_FAILED,
    message: "Failed to convert response to ChatGptResponse",
    plainMessage: "The agent's answer could not be read",
  },
  // Registration of an agent, and live views.
  upgrade_required: { ...INVALID, message: "Bad Request" },
  subprotocol_unknown: { ...INVALID, message: "Unknown WebSocket subprotocol" },
  agent_key_required: {
    ...FORBIDDEN,
    status: 401,
    anthropicType: "authentication_error",
    message: "Agent key required",
  },
  agent_key_wrong: {
    ...FORBIDDEN,
    status: 401,
    anthropicType: "authentication_error",
    message: "Invalid agent key",
  },
  agent_origin_refused: { ...FORBIDDEN, message: "Origin not allowed" },
  live_full: { ...BUSY, message: "Too many live views are open" },
  agents_full: { ...BUSY, message: "Too many agents are connected" },
  // Administration of users, of agents and of their keys.
  user_unknown: { ...NOT_FOUND, message: "No such user" },
  agent_unknown: { ...NOT_FOUND, message: "No such agent" },
  agent_key_unknown: { ...NOT_FOUND, message: "No such agent key" },
  agent_key_name_taken: { ...INVALID, status: 409, message: "An agent key has this name already" },
  // What the server itself could not do.
  verify_failed: { ...SERVER_FAILED, message: "Failed to verify API key" },
  user_insert_failed: { ...SERVER_FAILED, message: "Failed to insert user_id and token into database" },
  user_change_failed: { ...SERVER_FAILED, message: "Failed to change user in database" },
  user_delete_failed: { ...SERVER_FAILED, message: "Failed to delete user from database" },
  user_list_failed: { ...SERVER_FAILED, message: "Failed to get users from database" },
  backup_busy: { ...BUSY, message: "A backup is being made" },
  backup_failed: { ...SERVER_FAILED, message: "Failed to make a backup" },
  audit_failed: { ...SERVER_FAILED, message: "The change could not be recorded, so it was not made" },
  internal: { ...SERVER_FAILED, message: "Internal server error" },
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof TABLE;

/** Every way in which an operation can fail. To add one, add a row here, and one in docs/api.md. */
export const ERRORS: Readonly<Record<ErrorCode, ErrorRow>> = TABLE;
