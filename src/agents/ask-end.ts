import { AppError } from "../errors.ts";
import { parseBoundedJson, textField } from "../json/parse.ts";
import {
  errorInGoodStatus,
  isAboutAccount,
  isRetryable,
  NO_MONEY_MS,
  NO_REASON,
  oneLine,
  readUpstreamError,
} from "../json/upstream-error.ts";
import { type DoneFrame, type FailFrame, isAnswerStatus } from "../protocol/agent-v2.ts";
import { CHAT_STREAM_END } from "../protocol/chat.ts";
import { failureOf as failureInEvent } from "../protocol/chat-ending.ts";
import type { ModelAnswer } from "../relay/types.ts";

/**
 * The end of an ask, as the frame of a v2 agent tells it: an answer, which may be an error of the upstream, or a
 * failure.
 */
export type AskEnd = {
  /** The upstream's status. A failure without one has 400 if it is the request's fault, and else 500. */
  status: number;
  /** The body of the upstream's error; undefined for a good answer. */
  error: string | undefined;
} & ({ failure: AppError; isRetryable: boolean } | { failure?: undefined; answer: ModelAnswer });

/** Reads the frame that ends an ask. `hasBegun`: the caller has a part of the answer. */
export function endOf(frame: DoneFrame | FailFrame, hasBegun: boolean): AskEnd {
  if (frame.type === "fail") {
    const { status = frame.retryable ? 500 : 400, body = JSON.stringify({ error: frame.error }) } = frame;
    return { status, error: body, failure: failureOf(frame), isRetryable: frame.retryable };
  }
  const { status, body, usage, headers } = frame;
  const failure = failureIn(frame) ?? (hasBegun ? failureAtEnd(frame) : failureWithoutAnswer(frame));
  if (!failure) {
    const error = status < 300 ? undefined : (body ?? "");
    // The whole answer would repeat what the caller has already.
    const answer = {
      kind: "model",
      status,
      body: error ?? (hasBegun ? undefined : body),
      usage,
      headers,
    } as const;
    return { status, error, answer };
  }
  const failed = failure.upstream?.status ?? 500;
  return { status: failed, error: body ?? "", failure, isRetryable: isRetryable(failed) };
}

/** Returns the failure of a streamed answer that ends with the status of an error. */
function failureAtEnd({ status, body = "", headers }: DoneFrame): AppError | undefined {
  if (status < 300) return undefined;
  const {
    message = `its upstream ended the answer with status ${status}`,
    type,
    code,
  } = readUpstreamError(body);
  return new AppError("agent_failed", {
    extra: { err: message },
    upstream: { status, type, code, body, headers },
  });
}

/** Returns the failure of a good status without an answer: neither an event nor the body of one has come. */
function failureWithoutAnswer({ status, body }: DoneFrame): AppError | undefined {
  if (status >= 300) return undefined;
  if (body === undefined) return failed(ENDED_EARLY);
  return looksLikeObject(body) ? undefined : failed("its answer is not a JSON object");
}

const ENDED_EARLY = "its upstream ended the answer before it began";

const failed = (err: string) => new AppError("agent_failed", { extra: { err } });

/** Parsing a large answer for nothing would be slow. */
const looksLikeObject = (body: string): boolean => /^\s*\{/.test(body) && body.trimEnd().endsWith("}");

/**
 * Returns the end that the first event of a stream tells if it is an error in place of an answer. Nothing of an
 * answer has been sent yet, so it counts like an error status: another agent may do better, or the caller gets
 * the status.
 */
export function endOfFirstEvent(data: string): AskEnd | undefined {
  if (data === CHAT_STREAM_END)
    return { status: 500, error: "", failure: failed(ENDED_EARLY), isRetryable: true };
  if (!isFailure(data)) return undefined;
  const { message, type, code, status: named } = readUpstreamError(data);
  const status = named ?? (type === "invalid_request_error" ? 400 : 500);
  const failure =
    failureIn({ status, body: data }) ??
    new AppError("agent_failed", {
      extra: { err: message ?? NO_REASON },
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
 * Whether an event is an error: one that says so, or one that has a reason in place of an answer, such as
 * `{"detail":"out of memory"}`. Parsing a good event for nothing would take time.
 */
function isFailure(data: string): boolean {
  if (data.includes("error") && failureInEvent(parseBoundedJson(data))) return true;
  return errorInGoodStatus(data) !== undefined && textField(parseBoundedJson(data), "type") === undefined;
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
  const err = oneLine(error.message) ?? NO_REASON;
  if (status !== undefined && !isAnswerStatus(status)) return invalidAnswer(err);
  return new AppError("agent_failed", {
    extra: { err },
    retryAfterMs: retry_after_ms,
    upstream: { status, body, headers, type: error.type ?? undefined, code: error.code ?? undefined },
  });
}
