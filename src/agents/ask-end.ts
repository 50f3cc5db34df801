import { AppError } from "../errors.ts";
import { parseBoundedJson } from "../json/parse.ts";
import {
  errorInGoodStatus,
  isAboutAccount,
  isRetryable,
  NO_MONEY_MS,
  oneLine,
  readUpstreamError,
} from "../json/upstream-error.ts";
import { type DoneFrame, type FailFrame, isAnswerStatus } from "../protocol/agent-v2.ts";
import { failureOf as failureInEvent } from "../protocol/chat-ending.ts";
import type { ModelAnswer } from "../relay/types.ts";

/** The end of an ask, as the frame of a v2 agent tells it: an answer, which may be an error of the upstream, or a failure. */
export type AskEnd = {
  /** The upstream's status. A failure without one has 400 if it is the request's fault, and else 500. */
  status: number;
  /** The body of the upstream's error; undefined for a good answer. */
  error: string | undefined;
} & ({ failure: AppError; isRetryable: boolean } | { failure?: undefined; answer: ModelAnswer });

export function endOf(frame: DoneFrame | FailFrame): AskEnd {
  if (frame.type === "fail") {
    const { status = frame.retryable ? 500 : 400, body = JSON.stringify({ error: frame.error }) } = frame;
    return { status, error: body, failure: failureOf(frame), isRetryable: frame.retryable };
  }
  const { status, body, usage, headers } = frame;
  const failure = failureIn(frame);
  if (!failure) {
    const answer = { kind: "model", status, body, usage, headers } as const;
    return { status, error: status < 300 ? undefined : (body ?? ""), answer };
  }
  const failed = failure.upstream?.status ?? 500;
  return { status: failed, error: body ?? "", failure, isRetryable: isRetryable(failed) };
}

/**
 * Returns the end that the first event of a stream tells if it is an error in place of an answer. Nothing of an
 * answer has been sent yet, so it counts like an error status: another agent may do better, or the caller gets
 * the status.
 */
export function endOfFirstEvent(data: string): AskEnd | undefined {
  // Parsing a good event for nothing would take time.
  if (!data.includes("error") || !failureInEvent(parseBoundedJson(data))) return undefined;
  const { message, type, code, status: named } = readUpstreamError(data);
  const status = named ?? (type === "invalid_request_error" ? 400 : 500);
  const failure =
    failureIn({ status, body: data }) ??
    new AppError("agent_failed", {
      extra: { err: message ?? "it gave no reason" },
      upstream: {
        status: named === undefined && status === 500 ? undefined : status,
        type,
        code,
        body: data,
      },
      retryAfterMs: status === 402 ? NO_MONEY_MS : undefined,
    });
  return { status, error: data, failure, isRetryable: isRetryable(failure.upstream?.status ?? 500) };
}

/**
 * Returns the failure that a done frame tells: a status that no answer can have, an error with a good status,
 * or a refusal of the agent's own key. Of the last nothing is passed on, as it may contain parts of the key.
 */
function failureIn({
  status,
  body = "",
  headers,
}: Pick<DoneFrame, "status" | "body" | "headers">): AppError | undefined {
  if (!isAnswerStatus(status)) return invalidAnswer(`status ${status} is not that of an answer`);
  if (status === 401 || (status === 403 && isAboutAccount(readUpstreamError(body))))
    return new AppError("agent_failed", { extra: { err: "the upstream refuses the agent's key" } });
  const error = status < 300 ? errorInGoodStatus(body) : undefined;
  if (!error) return undefined;
  const { message = "the upstream reported an error", type, code } = error;
  const named = type === "invalid_request_error" ? 400 : undefined;
  const upstream = { status: error.status ?? named, type, code, body, headers };
  return new AppError("agent_failed", { extra: { err: message }, upstream });
}

/** Returns the end of an ask whose answer has JSON that is nested too deeply to be read. */
export function endOfTooDeep(): AskEnd {
  const failure = invalidAnswer("it is nested too deeply");
  return { status: 500, error: "", failure, isRetryable: true };
}

function invalidAnswer(err: string): AppError {
  return new AppError("agent_answer_invalid", { extra: { err } });
}

function failureOf({ error, status, body, headers, retry_after_ms }: FailFrame): AppError {
  const err = oneLine(error.message) ?? "it gave no reason";
  if (status !== undefined && !isAnswerStatus(status)) return invalidAnswer(err);
  return new AppError("agent_failed", {
    extra: { err },
    retryAfterMs: retry_after_ms,
    upstream: { status, body, headers, type: error.type ?? undefined, code: error.code ?? undefined },
  });
}
