import { AppError } from "../../errors.ts";
import type { AskRecord } from "../record.ts";
import type { AskResult } from "../types.ts";
import { failureText, upstreamFailureText } from "./failure-text.ts";

/** The fields of a record that tell how its ask ended, and the length of an answer that was not streamed. */
type OutcomeFields = Pick<AskRecord, "outcome" | "error" | "upstreamStatus"> & { wholeLength: number };

/** Returns how an ask ended: with an answer, which may be an upstream's refusal, or with an error. */
export function outcomeFields(ended: AskResult | AppError): OutcomeFields {
  if (ended instanceof AppError)
    return {
      outcome: ended.code,
      error: failureText(ended),
      upstreamStatus: ended.upstream?.status,
      wholeLength: 0,
    };
  const { answer } = ended;
  if (answer.kind === "v1")
    return {
      outcome: "ok",
      error: undefined,
      upstreamStatus: undefined,
      wholeLength: answer.answer.content.length,
    };
  const { status, body = "" } = answer;
  const error = status >= 400 ? upstreamFailureText(body) : undefined;
  return { outcome: "ok", error, upstreamStatus: status, wholeLength: body.length };
}
