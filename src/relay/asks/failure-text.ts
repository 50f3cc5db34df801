import { type AppError, ERRORS, type ErrorCode } from "../../errors.ts";
import { readUpstreamError } from "../../json/upstream-error.ts";
import { printable } from "../../printable.ts";

/** Agents and upstreams choose the texts. This much of each is kept, in UTF-16 code units. */
const FAILURE_LENGTH_MAX = 300;

/** One try of an ask that failed. */
export interface TryFailure {
  /** The id of the agent, and its own name for itself. */
  agent: string | undefined;
  agentName: string | undefined;
  /** From the arrival of the ask until it was sent to this agent. */
  sentAfterMs: number;
  code: ErrorCode;
  /** The text that `failureText` returns. */
  error: string;
}

/** Returns what went wrong, with the agent's reason, as one printable line of bounded length. */
export function failureText({ code, message, extra }: AppError): string {
  const reason = extra?.["err"];
  const text = ERRORS[code].plainMessage ?? message;
  return bounded(typeof reason === "string" ? `${text}: ${reason}` : text);
}

/** Returns the reason in an upstream's error body; undefined if it has none. */
export function upstreamFailureText(body: string): string | undefined {
  const { message } = readUpstreamError(body);
  return message === undefined ? undefined : bounded(message);
}

const bounded = (text: string) => printable(text.slice(0, FAILURE_LENGTH_MAX)).slice(0, FAILURE_LENGTH_MAX);
