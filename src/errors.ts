/**
 * Every way an operation can fail, with the text its caller reads. The texts of the reference server are
 * kept letter for letter (its spelling included), as programs compare them; `hint` says what to do.
 * HTTP statuses live in `http/error-body.ts`, in a table that does not compile while a code is missing.
 */
export const ERRORS = {
  // What the caller sent.
  ask_invalid: { message: "Invalid request" },
  body_invalid: { message: "Invalid request body" },
  request_invalid: { message: "Invalid request" },
  model_not_found: { message: "The model does not exist" },
  model_not_allowed: { message: "You may not use this model" },
  endpoint_unsupported: { message: "No agent can do this" },
  request_untranslatable: { message: "This request cannot be translated for any agent" },
  body_too_large: { message: "Request body too large" },
  body_timeout: { message: "Request body too slow" },
  url_too_long: { message: "Request URL too long" },
  host_invalid: { message: "Invalid Host header" },
  host_refused: { message: "Host not allowed" },
  key_missing: { message: "API key not provided" },
  key_unknown: { message: "Invalid API key" },
  keys_differ: { message: "Two different API keys provided" },
  admin_key_wrong: { message: "Invalid admin key" },
  sign_in_code_wrong: { message: "Invalid sign-in code" },
  key_failures: { message: "Too many wrong keys" },
  address_busy: { message: "Too many connections or requests from this address" },
  not_found: { message: "404 page not found" },
  method_not_allowed: { message: "405 method not allowed" },
  conversation_unknown: { message: "Conversation doesn't exists" },
  parent_unknown: { message: "Parent message doesn't exist" },
  conversation_full: { message: "Conversation is too long" },
  caller_gone: { message: "Client closed request" },
  // What the pool cannot do now.
  no_agent: { message: "No available clients" },
  ping_failed: { message: "Ping failed" },
  conversation_agent_gone: { message: "Connection no longer exists" },
  queue_full: { message: "Too many requests are waiting" },
  user_queue_full: { message: "Too many of your requests are waiting" },
  draining: { message: "Server is shutting down" },
  // What the caller's own limits forbid now.
  limit_requests: { message: "Rate limit reached for requests per minute" },
  limit_tokens: { message: "Rate limit reached for tokens per day" },
  limit_parallel: { message: "Rate limit reached for parallel requests" },
  // What an agent did.
  agent_send_failed: { message: "Failed to send request to the client" },
  agent_lost: { message: "Failed to read response from the client" },
  agent_timeout: { message: "Failed to read response from the client" },
  agent_failed: { message: "The agent could not answer" },
  agent_answer_invalid: { message: "Failed to convert response to ChatGptResponse" },
  // Registration of an agent.
  upgrade_required: { message: "Bad Request" },
  subprotocol_unknown: { message: "Unknown WebSocket subprotocol" },
  agent_key_required: { message: "Agent key required" },
  agent_key_wrong: { message: "Invalid agent key" },
  agent_origin_refused: { message: "Origin not allowed" },
  live_full: { message: "Too many live views are open" },
  agents_full: { message: "Too many agents are connected" },
  // Administration of users, of agents and of their keys.
  user_unknown: { message: "No such user" },
  agent_unknown: { message: "No such agent" },
  agent_key_unknown: { message: "No such agent key" },
  agent_key_name_taken: { message: "An agent key has this name already" },
  // What the server itself could not do.
  verify_failed: { message: "Failed to verify API key" },
  user_insert_failed: { message: "Failed to insert user_id and token into database" },
  user_change_failed: { message: "Failed to change user in database" },
  user_delete_failed: { message: "Failed to delete user from database" },
  user_list_failed: { message: "Failed to get users from database" },
  backup_busy: { message: "A backup is being made" },
  backup_failed: { message: "Failed to make a backup" },
  audit_failed: { message: "The change could not be recorded, so it was not made" },
  internal: { message: "Internal server error" },
} as const satisfies Record<string, { message: string }>;

export type ErrorCode = keyof typeof ERRORS;

export interface UpstreamError {
  status?: number | undefined;
  /** Letter for letter. */
  body?: string | undefined;
  type?: string | undefined;
  code?: string | undefined;
  /** Names in lower case. */
  headers?: Record<string, string> | undefined;
}

interface AppErrorOptions {
  /** For the caller: what to do about it. Never holds what he sent, nor anything internal. */
  hint?: string;
  /** The field at fault, where one is. */
  param?: string;
  /** Further keys of the answer, where the reference's body has them (`err`, `response`). */
  extra?: Record<string, unknown>;
  /** When the same may succeed, where that is known. */
  retryAfterMs?: number | undefined;
  /** What an agent's upstream said, for surfaces that pass it on. */
  upstream?: UpstreamError;
  /** For the log only. */
  detail?: string;
  /** What the log calls it, where that tells more than its caller may know. */
  logAs?: string;
  cause?: unknown;
}

/** The only error thrown on purpose. Anything else that reaches a border is reported as `internal`. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly param: string | undefined;
  readonly extra: Record<string, unknown> | undefined;
  readonly retryAfterMs: number | undefined;
  readonly upstream: UpstreamError | undefined;
  readonly detail: string | undefined;
  readonly logAs: string | undefined;

  constructor(code: ErrorCode, options: AppErrorOptions = {}) {
    super(ERRORS[code].message, { cause: options.cause });
    this.name = "AppError";
    this.code = code;
    this.hint = options.hint;
    this.param = options.param;
    this.extra = options.extra;
    this.retryAfterMs = options.retryAfterMs;
    this.upstream = options.upstream;
    this.detail = options.detail;
    this.logAs = options.logAs;
  }
}

/**
 * The program cannot do what its command line asks, for a reason its operator can mend: a port in use, a
 * database that cannot be opened. The command prints `message`, one line, and ends with `exitCode`.
 */
export class CommandError extends Error {
  readonly exitCode: number;

  constructor(message: string, options: { exitCode?: number; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.name = "CommandError";
    this.exitCode = options.exitCode ?? 1;
  }
}
