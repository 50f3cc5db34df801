import type { ContentfulStatusCode } from "hono/utils/http-status";
import { type AppError, ERRORS, type ErrorCode } from "../errors.ts";

/** 499 is nginx's: the caller hung up, so nobody reads it but the log. */
const CALLER_GONE = 499 as ContentfulStatusCode;

export const STATUS = {
  ask_invalid: 400,
  body_invalid: 400,
  request_untranslatable: 400,
  body_too_large: 413,
  key_missing: 401,
  key_unknown: 401,
  keys_differ: 401,
  admin_key_wrong: 401,
  not_found: 404,
  method_not_allowed: 405,
  conversation_unknown: 404,
  parent_unknown: 404,
  conversation_full: 400,
  caller_gone: CALLER_GONE,
  no_agent: 503,
  ping_failed: 503,
  conversation_agent_gone: 503,
  queue_full: 503,
  user_queue_full: 429,
  draining: 503,
  agent_send_failed: 502,
  agent_lost: 502,
  agent_timeout: 504,
  agent_failed: 502,
  agent_answer_invalid: 502,
  upgrade_required: 400,
  subprotocol_unknown: 400,
  agent_key_required: 401,
  agent_key_wrong: 401,
  agent_origin_refused: 403,
  verify_failed: 500,
  user_insert_failed: 500,
  user_delete_failed: 500,
  user_list_failed: 500,
  internal: 500,
} as const satisfies Record<ErrorCode, ContentfulStatusCode>;

/** Clients ignore more. */
const RETRY_AFTER_S_MAX = 60;

/** Seconds after which the same request may well succeed. */
const RETRY_AFTER_S: Partial<Record<ErrorCode, number>> = {
  no_agent: 10,
  ping_failed: 10,
  conversation_agent_gone: 10,
  queue_full: 5,
  user_queue_full: 5,
  draining: 10,
};

function retryAfter({ code, retryAfterMs }: AppError): number | undefined {
  if (retryAfterMs === undefined) return RETRY_AFTER_S[code];
  return Math.min(Math.max(Math.ceil(retryAfterMs / 1000), 1), RETRY_AFTER_S_MAX);
}

/**
 * An error as the reference's routes tell it: `{"error": text}`, with the further keys that the reference
 * has for some, and with `hint` where something can be done. Keys are sorted, as the reference's are.
 */
export function errorBody(error: AppError): Record<string, unknown> {
  const body: Record<string, unknown> = { ...error.extra, error: error.message };
  if (error.code === "user_list_failed") body["message"] = ERRORS.user_list_failed.message;
  if (error.hint !== undefined) body["hint"] = error.hint;
  return Object.fromEntries(Object.entries(body).sort(([a], [b]) => (a < b ? -1 : 1)));
}

export function errorResponse(error: AppError): Response {
  const headers = new Headers({ "content-type": "application/json; charset=utf-8" });
  const retryAfterS = retryAfter(error);
  if (retryAfterS !== undefined) headers.set("retry-after", String(retryAfterS));
  // What is left of an over-long body is not worth reading for the sake of the connection.
  if (error.code === "body_too_large") headers.set("connection", "close");
  return new Response(JSON.stringify(errorBody(error)), { status: STATUS[error.code], headers });
}
