import type { AppError, ErrorCode, UpstreamError } from "../../errors.ts";
import { PASSED_ERROR_HEADERS } from "../../protocol/agent-v2.ts";
import { STATUS } from "./status.ts";
import { surfaceOf } from "./surfaces.ts";

/** Clients ignore more. */
const RETRY_AFTER_MS_MAX = 60_000;

/** After this long the same request may well succeed, where the error does not know better. */
const RETRY_AFTER_MS: Partial<Record<ErrorCode, number>> = {
  no_agent: 10_000,
  ping_failed: 10_000,
  conversation_agent_gone: 10_000,
  queue_full: 5_000,
  user_queue_full: 5_000,
  draining: 10_000,
  limit_requests: 60_000,
  limit_tokens: 60_000,
  limit_parallel: 1_000,
  key_failures: 60_000,
  address_busy: 1_000,
  agents_full: 10_000,
  live_full: 10_000,
  backup_busy: 10_000,
};

function setRetryHeaders({ code, retryAfterMs = RETRY_AFTER_MS[code] }: AppError, headers: Headers): void {
  if (retryAfterMs === undefined) return;
  const waitMs = Math.min(Math.max(Math.ceil(retryAfterMs), 1), RETRY_AFTER_MS_MAX);
  headers.set("retry-after", String(Math.ceil(waitMs / 1000)));
  headers.set("retry-after-ms", String(waitMs));
  // Only the next day helps.
  if (code === "limit_tokens" && retryAfterMs > RETRY_AFTER_MS_MAX) headers.set("x-should-retry", "false");
}

/** An error as an answer, in the words of the path's surface. */
export function errorResponse(error: AppError, path: string, requestId: string): Response {
  const surface = surfaceOf(path);
  const headers = new Headers({ "content-type": "application/json; charset=utf-8" });
  setRetryHeaders(error, headers);
  if (surface.speaks) passHeaders(error.upstream?.headers, headers);
  // What is left of the body is not worth reading for the sake of the connection.
  if (error.code === "body_too_large" || error.code === "body_timeout") headers.set("connection", "close");
  const { upstream } = error;
  const status = surface.speaks ? statusOf(error) : STATUS[error.code];
  const body = upstream?.body !== undefined && isKept(upstream) ? parseJson(upstream.body) : undefined;
  const text = surface.speaks?.(body)
    ? upstream?.body
    : JSON.stringify(surface.errorBody(error, status, requestId));
  return new Response(text ?? "", { status, headers });
}

/** The upstream's where there is one, as clients decide by it what to do. */
function statusOf({ code, upstream }: AppError): number {
  return upstream?.status !== undefined && isKept(upstream) ? upstream.status : STATUS[code];
}

/** That the upstream refused the agent's key is not the caller's affair, who would take it for his own. */
function isKept({ status }: UpstreamError): boolean {
  return status !== undefined && status >= 400 && status !== 401 && status !== 403;
}

/** A wait beyond what clients heed would not be heeded at all. */
function capped(name: string, value: string): string {
  const max = { "retry-after": RETRY_AFTER_MS_MAX / 1000, "retry-after-ms": RETRY_AFTER_MS_MAX }[name];
  return max !== undefined && Number(value) > max ? String(max) : value;
}

/** An agent's word is not taken for more than it may say. */
export function passHeaders(from: Record<string, string> | undefined, to: Headers): void {
  for (const [name, value] of Object.entries(from ?? {})) {
    if (PASSED_ERROR_HEADERS.test(name) && /^[ -~]*$/.test(value)) to.set(name, capped(name, value));
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
