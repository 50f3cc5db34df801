import { z } from "zod";
import { PROBLEM_CODES, ProblemDetails, SEVERITIES } from "../../protocol/node/problems.ts";
import { count, namedObject, text, time } from "../values.ts";

const { cause_since: _, expires_at: __, ...DETAILS } = ProblemDetails.shape;

/** A problem, in words and in numbers and names. */
export const ProblemAnswer = namedObject("Problem", {
  /** Identifies the problem while it lasts. */
  id: text,
  code: z.enum(PROBLEM_CODES),
  severity: z.enum(SEVERITIES),
  since: time,
  /** States what is wrong, in one sentence or two. */
  message: text,
  /** The advice. */
  hint: text,
  /** Which of them there are depends on the code. */
  details: z.strictObject({
    ...DETAILS,
    /** Since when the agents of the model fail, or when the last one left. */
    cause_since: time.optional(),
    expires_at: time.optional(),
  }),
});
export type ProblemAnswer = z.output<typeof ProblemAnswer>;

export const ProblemList = namedObject("Problems", {
  at: time,
  /** The worst first, then those that last for longest. At most 50. */
  problems: z.array(ProblemAnswer),
});

export const WebhookTested = namedObject("WebhookTested", {
  /** Whether the receiver took the message: it answered with a status from 200 to 299. */
  delivered: z.boolean(),
  /** The receiver's status; null if it did not answer. */
  status: count.nullable(),
  /** The beginning of its answer, or why there is none. */
  answer: text,
  format: text,
});
