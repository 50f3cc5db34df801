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

/** Everything that the server knows about an error code. docs/api.md explains the codes to callers. */
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

function kind(
  status: number,
  anthropicType: AnthropicErrorType,
  openaiType: string,
  openaiCode: string | null = null,
): Kind {
  return { status, anthropicType, openaiType, openaiCode };
}

const INVALID = kind(400, "invalid_request_error", "invalid_request_error");
const NO_ACCESS = kind(401, "authentication_error", "invalid_request_error", "invalid_api_key");
const AGENT_REFUSED = kind(401, "authentication_error", "permission_error");
const FORBIDDEN = kind(403, "permission_error", "permission_error");
const NOT_FOUND = kind(404, "not_found_error", "invalid_request_error");
const RATE_LIMITED = kind(429, "rate_limit_error", "rate_limit_error", "rate_limit_exceeded");
/** OpenAI's error for a budget that is used up. By its code, programs know that trying again does not help. */
const QUOTA_USED_UP = kind(429, "rate_limit_error", "insufficient_quota", "insufficient_quota");
const SERVER_FAILED = kind(500, "api_error", "server_error");
const AGENT_FAILED = kind(502, "api_error", "upstream_error", "agent_error");
const BUSY = { ...kind(503, "overloaded_error", "server_error"), retryAfterMs: 10_000 };
const NO_AGENT = { ...BUSY, openaiCode: "no_agent_available" };

/** nginx's status for a caller who hung up: only the log ever shows it. */
const CALLER_GONE = 499;

/** Returns the row of an error: that of its kind, with a message and its own differences. */
const row = (of: Kind, message: string, own: Partial<ErrorRow> = {}): ErrorRow => ({
  ...of,
  message,
  ...own,
});

const TABLE = {
  // What the caller sent.
  ask_invalid: row(INVALID, "Invalid request"),
  body_invalid: row(INVALID, "Invalid request body"),
  request_invalid: row(INVALID, "Invalid request"),
  model_not_found: row(NOT_FOUND, "The model does not exist", { openaiCode: "model_not_found" }),
  model_not_allowed: row(FORBIDDEN, "You may not use this model", { openaiCode: "model_not_allowed" }),
  endpoint_unsupported: row(NOT_FOUND, "No agent can do this", {
    openaiCode: "endpoint_not_supported",
    plainMessage: "This endpoint is not available for this model",
  }),
  request_untranslatable: row(INVALID, "This request cannot be translated for any agent", {
    openaiCode: "unsupported_parameter",
  }),
  body_too_large: row(INVALID, "Request body too large", {
    status: 413,
    openaiCode: "request_too_large",
    anthropicType: "request_too_large",
  }),
  encoding_unsupported: row(INVALID, "Unsupported content encoding", { status: 415 }),
  body_timeout: row(INVALID, "Request body too slow", { status: 408, anthropicType: "timeout_error" }),
  url_too_long: row(INVALID, "Request URL too long", { status: 414 }),
  host_invalid: row(INVALID, "Invalid Host header"),
  models_read_only: row(FORBIDDEN, "Models cannot be changed through this server"),
  host_refused: row(FORBIDDEN, "Host not allowed"),
  key_missing: row(NO_ACCESS, "API key not provided"),
  key_unknown: row(NO_ACCESS, "Invalid API key"),
  keys_differ: row(NO_ACCESS, "Two different API keys provided"),
  admin_key_wrong: row(NO_ACCESS, "Invalid admin key"),
  sign_in_code_wrong: row(NO_ACCESS, "Invalid sign-in code"),
  pairing_code_wrong: row(NO_ACCESS, "Invalid pairing code"),
  pairing_limited: row(RATE_LIMITED, "Too many wrong pairing codes", { retryAfterMs: 60_000 }),
  key_failures: row(RATE_LIMITED, "Too many wrong keys", { retryAfterMs: 60_000 }),
  address_busy: row(RATE_LIMITED, "Too many connections or requests from this address", {
    retryAfterMs: 1_000,
  }),
  not_found: row(NOT_FOUND, "404 page not found", {
    openaiCode: "not_found",
    plainMessage: "There is no such path",
  }),
  method_not_allowed: row(INVALID, "405 method not allowed", {
    status: 405,
    openaiCode: "method_not_allowed",
    plainMessage: "Method not allowed",
  }),
  websocket_refused: row(INVALID, "426 upgrade required", {
    status: 426,
    openaiCode: "websocket_not_supported",
    plainMessage: "This path does not support WebSockets",
  }),
  conversation_unknown: row(NOT_FOUND, "Conversation doesn't exists", {
    plainMessage: "The conversation does not exist",
  }),
  session_unknown: row(NOT_FOUND, "There is no such session", { openaiCode: "session_not_found" }),
  response_unknown: row(NOT_FOUND, "The response does not exist", { openaiCode: "response_not_found" }),
  item_unknown: row(NOT_FOUND, "The conversation has no such item", { openaiCode: "item_not_found" }),
  response_not_resumable: row(INVALID, "The stream of this response cannot be resumed", {
    status: 409,
    openaiCode: "response_not_resumable",
  }),
  response_elsewhere: row(BUSY, "The node that has this response does not answer", {
    openaiCode: "response_elsewhere",
    retryAfterMs: 5_000,
  }),
  parent_unknown: row(NOT_FOUND, "Parent message doesn't exist"),
  conversation_full: row(INVALID, "Conversation is too long", { openaiCode: "context_length_exceeded" }),
  caller_gone: row(INVALID, "Client closed request", { status: CALLER_GONE }),
  // What the agents cannot do now.
  no_agent: row(NO_AGENT, "No available clients", { plainMessage: "No agent is available" }),
  ping_failed: row(NO_AGENT, "Ping failed", { plainMessage: "No agent is available" }),
  conversation_agent_gone: row(NO_AGENT, "Connection no longer exists", {
    plainMessage: "The agent that has this conversation is no longer connected",
  }),
  queue_full: row(BUSY, "Too many requests are waiting", { openaiCode: "queue_full", retryAfterMs: 5_000 }),
  user_queue_full: row(RATE_LIMITED, "Too many of your requests are waiting", { retryAfterMs: 5_000 }),
  bodies_full: row(BUSY, "Too many large requests are running", {
    openaiCode: "bodies_full",
    retryAfterMs: 5_000,
  }),
  user_bodies_full: row(RATE_LIMITED, "Too many of your large requests are running", { retryAfterMs: 5_000 }),
  draining: row(BUSY, "Server is shutting down", { openaiCode: "server_draining" }),
  // What the caller's own limits forbid now.
  limit_requests: row(RATE_LIMITED, "Rate limit reached for requests per minute", { retryAfterMs: 60_000 }),
  limit_tokens: row(RATE_LIMITED, "Rate limit reached for tokens per day", { retryAfterMs: 60_000 }),
  limit_parallel: row(RATE_LIMITED, "Rate limit reached for parallel requests", { retryAfterMs: 1_000 }),
  limit_budget_day: row(QUOTA_USED_UP, "You exceeded your budget of today", { retryAfterMs: 60_000 }),
  limit_budget_month: row(QUOTA_USED_UP, "You exceeded your budget of this month", { retryAfterMs: 60_000 }),
  // The budget is not used up, so that programs may try again.
  limit_budget_reserved: row(RATE_LIMITED, "Your running requests have reserved the rest of your budget", {
    retryAfterMs: 1_000,
  }),
  // What an agent did.
  agent_send_failed: row(AGENT_FAILED, "Failed to send request to the client", {
    plainMessage: "The request could not be sent to the agent",
  }),
  agent_lost: row(AGENT_FAILED, "Failed to read response from the client", {
    plainMessage: "The agent was lost",
  }),
  agent_timeout: row(SERVER_FAILED, "Failed to read response from the client", {
    status: 504,
    openaiCode: "agent_timeout",
    anthropicType: "timeout_error",
    plainMessage: "The agent did not answer in time",
  }),
  agent_failed: row(AGENT_FAILED, "The agent could not answer"),
  agent_answer_invalid: row(AGENT_FAILED, "Failed to convert response to ChatGptResponse", {
    plainMessage: "The agent's answer could not be read",
  }),
  // Registration of an agent, and live views.
  upgrade_required: row(INVALID, "Bad Request"),
  subprotocol_unknown: row(INVALID, "Unknown WebSocket subprotocol"),
  agent_key_required: row(AGENT_REFUSED, "Agent key required"),
  agent_key_wrong: row(AGENT_REFUSED, "Invalid agent key"),
  agent_origin_refused: row(FORBIDDEN, "Origin not allowed"),
  live_full: row(BUSY, "Too many live views are open"),
  agent_session_unknown: row(NOT_FOUND, "The agent's session does not exist"),
  agents_full: row(BUSY, "Too many agents are connected"),
  // Administration of users, of agents and of their keys.
  user_unknown: row(NOT_FOUND, "No such user"),
  token_replaced: row(FORBIDDEN, "This token was replaced"),
  agent_unknown: row(NOT_FOUND, "No such agent"),
  agent_update_refused: row(INVALID, "The agent does not let this server update it", { status: 409 }),
  node_unanswered: row(BUSY, "The node that has the agent does not answer", { retryAfterMs: 5_000 }),
  agent_key_unknown: row(NOT_FOUND, "No such agent key"),
  agent_key_name_taken: row(INVALID, "An agent key has this name already", { status: 409 }),
  pairing_unknown: row(NOT_FOUND, "No such pairing code"),
  pairings_full: row(INVALID, "Too many pairing codes are open", { status: 409 }),
  settings_changed: row(INVALID, "The settings have been changed meanwhile", { status: 412 }),
  webhook_unset: row(INVALID, "There is no alert webhook", { status: 409 }),
  // What the server itself could not do.
  database_away: row(BUSY, "The database does not answer", {
    openaiCode: "database_away",
    retryAfterMs: 5_000,
  }),
  verify_failed: row(SERVER_FAILED, "Failed to verify API key"),
  user_insert_failed: row(SERVER_FAILED, "Failed to insert user_id and token into database"),
  user_change_failed: row(SERVER_FAILED, "Failed to change user in database"),
  user_delete_failed: row(SERVER_FAILED, "Failed to delete user from database"),
  user_list_failed: row(SERVER_FAILED, "Failed to get users from database"),
  settings_change_failed: row(SERVER_FAILED, "Failed to change settings in database"),
  session_list_failed: row(SERVER_FAILED, "Failed to get sessions from database"),
  session_change_failed: row(SERVER_FAILED, "Failed to change session in database"),
  backup_busy: row(BUSY, "A backup is being made"),
  backup_external: row(INVALID, "The data is in a PostgreSQL database. Back it up with pg_dump", {
    status: 409,
  }),
  backup_failed: row(SERVER_FAILED, "Failed to make a backup"),
  audit_failed: row(SERVER_FAILED, "The change could not be recorded, so it was not made"),
  internal: row(SERVER_FAILED, "Internal server error"),
} satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof TABLE;

/** Every way in which an operation can fail. To add one, add a row here, and one in docs/api.md. */
export const ERRORS: Readonly<Record<ErrorCode, ErrorRow>> = TABLE;
