import { HOUR_MS } from "../durations.ts";
import { parseJson } from "../json/parse.ts";
import {
  errorInGoodStatus,
  isAboutAccount,
  isRetryable,
  NO_MONEY_MS,
  readUpstreamError,
} from "../json/upstream-error.ts";
import { DoneFrame, type FailFrame, HEADER_LENGTH_MAX, PASSED_ERROR_HEADERS } from "../protocol/agent-v2.ts";
import { usageIn } from "../protocol/token-usage.ts";

/** The frame that ends an ask, without the ask's id. */
export type EndFrame = Omit<DoneFrame, "ask"> | Omit<FailFrame, "ask">;

/** The longest wait that is passed on: an hour. */
const RETRY_AFTER_MS_MAX = HOUR_MS;

export const ENDED_EARLY = "the upstream ended its answer early";

export function failFrame(message: string, retryable: boolean): EndFrame {
  return { type: "fail", error: { message }, retryable };
}

/** Not retryable, as another agent would get the same answer. */
export const ANSWER_TOO_LARGE = failFrame(
  "part of the upstream's answer is larger than the server accepts",
  false,
);

/**
 * Returns what the upstream's whole answer means. A 2xx is final, and so is a 4xx that is the request's
 * fault. If the fault is this agent's or its upstream's (overload, failure, a wrong key, no money left),
 * another agent may do better.
 */
export function endFrameOf({ status, headers }: Response, body: string, nowMs: number): EndFrame {
  if (status < 300) return goodStatus(status, headers, body, nowMs);
  return errorStatus(status, headers, body, nowMs);
}

/** Some upstreams report an error with a 2xx. The status that its body names then counts, if it names one. */
function goodStatus(status: number, headers: Headers, body: string, nowMs: number): EndFrame {
  const error = errorInGoodStatus(body);
  if (error?.status !== undefined) return errorStatus(error.status, headers, body, nowMs);
  if (error?.type === "invalid_request_error") return errorStatus(400, headers, body, nowMs);
  if (error) return retryable(undefined, headers, body, nowMs);
  const value = parseJson(body);
  if (value === undefined) return failFrame("the upstream's answer is not JSON", true);
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return failFrame("the upstream's answer is not a JSON object", true);
  return { type: "done", status, body, usage: usageIn(value) };
}

function errorStatus(status: number, headers: Headers, body: string, nowMs: number): EndFrame {
  if (status >= 300 && status < 400)
    return { ...failFrame("the upstream redirects, and redirects are not followed", true), status };
  // The body is left out: it may contain parts of the key.
  if (status === 401 || (status === 403 && isAboutAccount(readUpstreamError(body))))
    return { ...failFrame("the upstream refuses the agent's key", true), status };
  if (status === 407) return failFrame("a proxy in front of the upstream demands a login", true);
  if (isRetryable(status)) return retryable(status, headers, body, nowMs);
  return { type: "done", status, body, ...retryHeaders(headers) };
}

/** Returns the headers that say when and whether to retry, without those that are too long for a frame. */
function retryHeaders(headers: Headers): { headers?: Record<string, string> } {
  const found = [...headers].filter(
    ([name, value]) => PASSED_ERROR_HEADERS.test(name) && value.length <= HEADER_LENGTH_MAX,
  );
  return found.length > 0 ? { headers: Object.fromEntries(found) } : {};
}

function retryable(status: number | undefined, headers: Headers, body: string, nowMs: number): EndFrame {
  const { message, type, code } = readUpstreamError(body);
  const wait = retryAfter(headers, nowMs) ?? (status === 402 ? NO_MONEY_MS : undefined);
  return {
    type: "fail",
    retryable: true,
    error: {
      message: message ?? statusText(status),
      type,
      code,
    },
    status: DoneFrame.shape.status.safeParse(status).data,
    retry_after_ms: wait,
    body: body || undefined,
    ...retryHeaders(headers),
  };
}

const statusText = (status: number | undefined) =>
  status === undefined ? "the upstream reported an error" : `the upstream responded with status ${status}`;

/** Reads `retry-after-ms`, or `Retry-After` in seconds or as a date (RFC 9110 §10.2.3). */
function retryAfter(headers: Headers, nowMs: number): number | undefined {
  const exact = Number(headers.get("retry-after-ms") ?? Number.NaN);
  const text = headers.get("retry-after") ?? "";
  const given = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text) - nowMs;
  const waitMs = Number.isFinite(exact) ? exact : given;
  if (!Number.isFinite(waitMs)) return undefined;
  return Math.min(Math.max(Math.ceil(waitMs), 0), RETRY_AFTER_MS_MAX);
}
