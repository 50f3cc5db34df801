import type { AppError, ErrorCode } from "../../errors.ts";
import type { Surface } from "./surface.ts";

type Kind = readonly [type: string, code: string | null];

const INVALID: Kind = ["invalid_request_error", null];
const KEY: Kind = ["invalid_request_error", "invalid_api_key"];
const SERVER: Kind = ["server_error", null];
const NO_AGENT: Kind = ["server_error", "no_agent_available"];
const AGENT: Kind = ["upstream_error", "agent_error"];
const FORBIDDEN: Kind = ["permission_error", null];
const RATE_LIMIT: Kind = ["rate_limit_error", "rate_limit_exceeded"];

/** `type` and `code` of each error, which clients decide by: see docs/api.md. */
export const OPENAI_ERRORS = {
  ask_invalid: INVALID,
  body_invalid: INVALID,
  request_invalid: INVALID,
  endpoint_unsupported: ["invalid_request_error", "endpoint_not_supported"],
  request_untranslatable: ["invalid_request_error", "unsupported_parameter"],
  model_not_allowed: ["permission_error", "model_not_allowed"],
  model_not_found: ["invalid_request_error", "model_not_found"],
  body_too_large: ["invalid_request_error", "request_too_large"],
  body_timeout: INVALID,
  url_too_long: INVALID,
  host_invalid: INVALID,
  host_refused: FORBIDDEN,
  key_missing: KEY,
  key_unknown: KEY,
  keys_differ: KEY,
  admin_key_wrong: KEY,
  sign_in_code_wrong: KEY,
  key_failures: ["rate_limit_error", "rate_limit_exceeded"],
  address_busy: ["rate_limit_error", "rate_limit_exceeded"],
  not_found: ["invalid_request_error", "not_found"],
  method_not_allowed: ["invalid_request_error", "method_not_allowed"],
  conversation_unknown: INVALID,
  parent_unknown: INVALID,
  conversation_full: ["invalid_request_error", "context_length_exceeded"],
  caller_gone: INVALID,
  no_agent: NO_AGENT,
  ping_failed: NO_AGENT,
  conversation_agent_gone: NO_AGENT,
  queue_full: ["server_error", "queue_full"],
  user_queue_full: RATE_LIMIT,
  draining: ["server_error", "server_draining"],
  limit_requests: RATE_LIMIT,
  limit_tokens: RATE_LIMIT,
  limit_parallel: RATE_LIMIT,
  agent_send_failed: AGENT,
  agent_lost: AGENT,
  agent_timeout: ["server_error", "agent_timeout"],
  agent_failed: AGENT,
  agent_answer_invalid: AGENT,
  upgrade_required: INVALID,
  subprotocol_unknown: INVALID,
  agent_key_required: FORBIDDEN,
  agent_key_wrong: FORBIDDEN,
  agent_origin_refused: FORBIDDEN,
  live_full: SERVER,
  agents_full: SERVER,
  user_unknown: INVALID,
  agent_unknown: INVALID,
  agent_key_unknown: INVALID,
  agent_key_name_taken: INVALID,
  verify_failed: SERVER,
  user_insert_failed: SERVER,
  user_change_failed: SERVER,
  user_delete_failed: SERVER,
  user_list_failed: SERVER,
  backup_busy: SERVER,
  backup_failed: SERVER,
  audit_failed: SERVER,
  internal: SERVER,
} as const satisfies Record<ErrorCode, Kind>;

export function openaiError(error: AppError, requestId: string) {
  const [type, code] = OPENAI_ERRORS[error.code];
  const { upstream, param = null } = error;
  return {
    message: publicMessage(error),
    type: upstream?.type ?? type,
    param,
    code: upstream?.code ?? code,
    request_id: requestId,
  };
}

/** Where the reference's text, kept for its own routes, would puzzle here. */
const OTHER_WORDS: Partial<Record<ErrorCode, string>> = {
  not_found: "There is no such path",
  method_not_allowed: "This path does not take this method",
  no_agent: "No agent is available",
  ping_failed: "No agent is available",
  agent_send_failed: "The request could not be sent to the agent",
  agent_lost: "The agent was lost",
  agent_timeout: "The agent did not answer in time",
  agent_answer_invalid: "The agent's answer could not be read",
};

/** The text, with what to do about it, or with what the agent said. */
export function publicMessage({ code, message, hint, extra }: AppError): string {
  const said = hint ?? (typeof extra?.["err"] === "string" ? extra["err"] : undefined);
  const text = OTHER_WORDS[code] ?? message;
  return said === undefined ? `${text}.` : `${text}: ${said}`;
}

/** Chat completions, completions and embeddings: https://platform.openai.com/docs/guides/error-codes. */
export const openaiSurface: Surface = {
  errorBody: (error, _status, requestId) => ({ error: openaiError(error, requestId) }),
  speaks: (body) => isObject(body) && isObject(body["error"]),
  streamError: (error, requestId) => [
    { event: "", data: JSON.stringify({ error: openaiError(error, requestId) }) },
  ],
};

/** Responses, whose streams end with an event of their own. */
export const responsesSurface: Surface = {
  ...openaiSurface,
  streamError(error, requestId, { count, first }) {
    const { message, code } = openaiError(error, requestId);
    const data = {
      type: "response.failed",
      sequence_number: count,
      response: {
        ...createdResponse(first),
        status: "failed",
        error: { code: code ?? "server_error", message },
      },
    };
    return [{ event: data.type, data: JSON.stringify(data) }];
  },
};

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/** The response as its first event told of it. */
function createdResponse(first: string | undefined): object {
  try {
    const { response } = JSON.parse(first ?? "{}");
    return typeof response === "object" && response !== null ? response : {};
  } catch {
    return {};
  }
}
