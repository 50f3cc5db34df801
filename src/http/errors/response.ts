import { type AppError, ERRORS, type ErrorCode, type UpstreamError } from "../../errors.ts";
import { parseJson } from "../../json/parse.ts";
import { isAboutAccount, readUpstreamError } from "../../json/upstream-error.ts";
import { PASSED_ERROR_HEADERS } from "../../protocol/agent-v2.ts";
import { ACCEPTED_ENCODINGS } from "../middleware/compression/decompress.ts";
import type { ErrorStyle } from "./style.ts";

/** Clients ignore longer waits. */
const RETRY_AFTER_MS_MAX = 60_000;

/** The errors of limits that begin again with a day or a month. */
const OF_PERIODS: ReadonlySet<ErrorCode> = new Set([
  "limit_tokens",
  "limit_budget_day",
  "limit_budget_month",
]);

function setRetryHeaders(error: AppError, headers: Headers): void {
  const { code, retryAfterMs = ERRORS[code].retryAfterMs } = error;
  if (retryAfterMs === undefined) return;
  const waitMs = Math.min(Math.max(Math.ceil(retryAfterMs), 1), RETRY_AFTER_MS_MAX);
  headers.set("retry-after", String(Math.ceil(waitMs / 1000)));
  headers.set("retry-after-ms", String(waitMs));
  // Only the next day or month helps.
  if (OF_PERIODS.has(code) && retryAfterMs > RETRY_AFTER_MS_MAX) headers.set("x-should-retry", "false");
}

export function errorResponse(error: AppError, style: ErrorStyle, requestId: string): Response {
  const headers = new Headers({ "content-type": "application/json; charset=utf-8" });
  setRetryHeaders(error, headers);
  if (style.hasStyle) passHeaders(error.upstream?.headers, headers);
  if (error.code === "encoding_unsupported") headers.set("accept-encoding", ACCEPTED_ENCODINGS);
  const { upstream } = error;
  const status = style.hasStyle ? statusOf(error) : ERRORS[error.code].status;
  const body = upstream?.body !== undefined && isPassedOn(upstream) ? parseJson(upstream.body) : undefined;
  const text = style.hasStyle?.(body) ? upstream?.body : JSON.stringify(style.body(error, status, requestId));
  return new Response(text ?? "", { status, headers });
}

/** Returns the upstream's status if it is passed on, as clients decide by it what to do. */
function statusOf({ code, upstream }: AppError): number {
  return upstream?.status !== undefined && isPassedOn(upstream) ? upstream.status : ERRORS[code].status;
}

/** A refusal of the agent's own key is hidden: callers would take it for a refusal of theirs. */
export function isPassedOn({ status, body }: UpstreamError): boolean {
  if (status === 403) return body !== undefined && !isAboutAccount(readUpstreamError(body));
  return status !== undefined && status >= 400 && status !== 401;
}

/** Returns the value of a header, with a wait that is too long for clients shortened. */
function capped(name: string, value: string): string {
  const max = { "retry-after": RETRY_AFTER_MS_MAX / 1000, "retry-after-ms": RETRY_AFTER_MS_MAX }[name];
  return max !== undefined && Number(value) > max ? String(max) : value;
}

/** Copies those headers of an upstream's error that may be passed on. An agent can set no others. */
export function passHeaders(from: Record<string, string> | undefined, to: Headers): void {
  for (const [name, value] of Object.entries(from ?? {})) {
    if (PASSED_ERROR_HEADERS.test(name) && /^[ -~]*$/.test(value)) to.set(name, capped(name, value));
  }
}
