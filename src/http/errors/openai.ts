import { type AppError, ERRORS } from "../../errors.ts";
import { field, parseJson, textField } from "../../json/parse.ts";
import { oneLine } from "../../json/upstream-error.ts";
import type { ErrorStyle, SentEvents } from "./style.ts";
import { hintOf } from "./wait-hint.ts";

/** Returns the `error` of an OpenAI-style body. Clients decide by `type` and `code`: see docs/api.md. */
export function openaiError(error: AppError, requestId: string) {
  const { openaiType, openaiCode } = ERRORS[error.code];
  const { upstream, param = null } = error;
  return {
    message: publicMessage(error),
    type: upstream?.type ?? openaiType,
    param,
    code: upstream?.code ?? openaiCode,
    request_id: requestId,
  };
}

/** Returns what is wrong, in the agent's words if it said something, and then what the caller can do. */
export function publicMessage(error: AppError): string {
  const { code, message, extra } = error;
  const hint = hintOf(error);
  const text = ERRORS[code].plainMessage ?? message;
  const reason = typeof extra?.["err"] === "string" ? `: ${extra["err"]}` : "";
  const sentence = withFullStop(text + reason);
  return hint === undefined ? sentence : `${sentence} ${hint}`;
}

const withFullStop = (text: string): string => (/[.!?…]$/.test(text) ? text : `${text}.`);

/**
 * The style of chat completions, completions and embeddings:
 * https://platform.openai.com/docs/guides/error-codes.
 */
export const openaiStyle: ErrorStyle = {
  body: (error, _status, requestId) => ({ error: openaiError(error, requestId) }),
  streamEvent(error, requestId) {
    return { event: "", data: JSON.stringify({ error: openaiError(error, requestId) }) };
  },
  hasStyle: (body) => hasMessage(field(body, "error")),
};

const NOTHING_SENT: SentEvents = { count: 0, first: undefined };

/** The style of Responses, whose streams end with an event of their own. */
export const responsesStyle: ErrorStyle = {
  ...openaiStyle,
  streamEvent(error, requestId, { count, first } = NOTHING_SENT) {
    const { message, code } = openaiError(error, requestId);
    const failure = { status: "failed", error: { code: code ?? "server_error", message } };
    const response = { ...createdResponse(first), ...failure };
    const data = { type: "response.failed", sequence_number: count, response };
    return { event: data.type, data: JSON.stringify(data) };
  },
};

/** Whether an upstream's error says anything. */
export const hasMessage = (error: unknown): boolean =>
  oneLine(textField(error, "message") ?? "") !== undefined;

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;

/** Returns the response that the first event of the stream announced. */
function createdResponse(first: SentEvents["first"]): object {
  const response = field(parseJson(first ?? ""), "response");
  return isObject(response) ? response : {};
}
