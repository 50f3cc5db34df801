import { field, parseJson, textField } from "../json/parse.ts";
import { type AgentFrame, DoneFrame, type FailFrame, PASSED_ERROR_HEADERS } from "../protocol/agent-v2.ts";
import { usageOf } from "./progress.ts";

/** What an ask comes to, but for the ask's id. */
export type Outcome = Omit<DoneFrame, "ask"> | Omit<FailFrame, "ask">;

/** The longest wait that is passed on: an hour. */
const RETRY_AFTER_MS_MAX = 3_600_000;
const NAME_LENGTH_MAX = 256;

/** 4xx that say nothing against the request itself: clients of the API retry them too. */
const RETRYABLE = new Set([408, 409, 425, 429]);

export const ENDED_EARLY = "the upstream ended its answer early";

export function failure(message: string, retryable: boolean): Outcome {
  return { type: "fail", error: { message }, retryable };
}

/** Another agent would get the same answer, so none is asked. */
export const TOO_LARGE = failure("the upstream's answer has a part larger than the server takes", false);

export function frameOf(outcome: Outcome, ask: string): AgentFrame {
  return { ...outcome, ask } as AgentFrame;
}

/**
 * What an upstream's whole answer means. A 2xx and a 4xx that is the request's fault are final. What is this
 * agent's own misfortune (overload, breakdown, a wrong key) another agent may do better.
 */
export function outcomeOf({ status, headers }: Response, body: string, nowMs: number): Outcome {
  if (status >= 300 && status < 400)
    return { ...failure("the upstream redirects, which is not followed", true), status };
  // Its body may tell parts of the key.
  if (status === 401 || status === 403)
    return { ...failure("the upstream refuses the agent's key", true), status };
  if (status >= 500 || RETRYABLE.has(status)) return retryable(status, headers, body, nowMs);
  if (status >= 300) return { type: "done", status, body, ...passed(headers) };
  if (parseJson(body) === undefined) return failure("the upstream's answer is no JSON", true);
  const usage = usageOf(body);
  return { type: "done", status, body, ...(usage && { usage }) };
}

/** What tells the caller when and whether to try again. */
function passed(headers: Headers): { headers?: Record<string, string> } {
  const found = [...headers].filter(([name]) => PASSED_ERROR_HEADERS.test(name));
  return found.length > 0 ? { headers: Object.fromEntries(found) } : {};
}

function retryable(status: number, headers: Headers, body: string, nowMs: number): Outcome {
  const error = field(parseJson(body), "error");
  const retryAfterMs = retryAfter(headers, nowMs);
  return {
    type: "fail",
    retryable: true,
    error: {
      message: textField(error, "message") ?? `the upstream answers ${status}`,
      ...short(error, "type"),
      ...short(error, "code"),
    },
    ...(DoneFrame.shape.status.safeParse(status).success && { status }),
    ...(retryAfterMs !== undefined && { retry_after_ms: retryAfterMs }),
    ...(body && { body }),
    ...passed(headers),
  };
}

function short(error: unknown, name: "type" | "code"): { [Name in typeof name]?: string } {
  const text = textField(error, name);
  return text === undefined ? {} : { [name]: text.slice(0, NAME_LENGTH_MAX) };
}

/** `retry-after-ms`, or `Retry-After` in seconds or as a date (RFC 9110 §10.2.3). */
function retryAfter(headers: Headers, nowMs: number): number | undefined {
  const exact = Number(headers.get("retry-after-ms") ?? Number.NaN);
  const text = headers.get("retry-after") ?? "";
  const given = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text) - nowMs;
  const waitMs = Number.isFinite(exact) ? exact : given;
  if (!Number.isFinite(waitMs)) return undefined;
  return Math.min(Math.max(Math.ceil(waitMs), 0), RETRY_AFTER_MS_MAX);
}
