import { field, parseJson, textField } from "../json/parse.ts";
import { DoneFrame, type FailFrame, PASSED_ERROR_HEADERS } from "../protocol/agent-v2.ts";
import { usageOf } from "./stream-progress.ts";

/** The frame that ends an ask, without the ask's id. */
export type EndFrame = Omit<DoneFrame, "ask"> | Omit<FailFrame, "ask">;

/** The longest wait that is passed on: an hour. */
const RETRY_AFTER_MS_MAX = 3_600_000;
/** The longest type and code of an error that a frame may have. */
const ERROR_NAME_LENGTH_MAX = 256;

/** 4xx that are not the request's fault. Clients of the API retry them too. */
const RETRYABLE = new Set([408, 409, 425, 429]);

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
 * fault. If the fault is this agent's or its upstream's (overload, failure, a wrong key), another agent may
 * do better.
 */
export function endFrameOf({ status, headers }: Response, body: string, nowMs: number): EndFrame {
  if (status >= 300 && status < 400)
    return { ...failFrame("the upstream redirects, and redirects are not followed", true), status };
  // The body is left out: it may contain parts of the key.
  if (status === 401 || status === 403)
    return { ...failFrame("the upstream refuses the agent's key", true), status };
  if (status >= 500 || RETRYABLE.has(status)) return retryable(status, headers, body, nowMs);
  if (status >= 300) return { type: "done", status, body, ...retryHeaders(headers) };
  if (parseJson(body) === undefined) return failFrame("the upstream's answer is not JSON", true);
  return { type: "done", status, body, usage: usageOf(body) };
}

/** Returns the headers that say when and whether to retry. */
function retryHeaders(headers: Headers): { headers?: Record<string, string> } {
  const found = [...headers].filter(([name]) => PASSED_ERROR_HEADERS.test(name));
  return found.length > 0 ? { headers: Object.fromEntries(found) } : {};
}

function retryable(status: number, headers: Headers, body: string, nowMs: number): EndFrame {
  const error = field(parseJson(body), "error");
  const shortField = (name: string) => textField(error, name)?.slice(0, ERROR_NAME_LENGTH_MAX);
  return {
    type: "fail",
    retryable: true,
    error: {
      message: textField(error, "message") ?? `the upstream responded with status ${status}`,
      type: shortField("type"),
      code: shortField("code"),
    },
    status: DoneFrame.shape.status.safeParse(status).data,
    retry_after_ms: retryAfter(headers, nowMs),
    body: body || undefined,
    ...retryHeaders(headers),
  };
}

/** Reads `retry-after-ms`, or `Retry-After` in seconds or as a date (RFC 9110 §10.2.3). */
function retryAfter(headers: Headers, nowMs: number): number | undefined {
  const exact = Number(headers.get("retry-after-ms") ?? Number.NaN);
  const text = headers.get("retry-after") ?? "";
  const given = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text) - nowMs;
  const waitMs = Number.isFinite(exact) ? exact : given;
  if (!Number.isFinite(waitMs)) return undefined;
  return Math.min(Math.max(Math.ceil(waitMs), 0), RETRY_AFTER_MS_MAX);
}
