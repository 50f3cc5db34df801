import { printable } from "../printable.ts";
import {
  PROBLEM_NAME_LENGTH_MAX,
  PROBLEM_REASON_LENGTH_MAX,
  type Problem,
  SEVERITIES,
  type Severity,
} from "../protocol/node/problems.ts";

/** Something that is wrong at this moment. It becomes a problem once it has lasted: see `Watch`. */
export interface Finding extends Omit<Problem, "since"> {
  /** When it began, in milliseconds since 1970; undefined if nobody knows, so that it begins when it is found. */
  since?: number | undefined;
}

/** Identifies a problem among those of all nodes. */
export const idOf = ({ code, subject }: Pick<Problem, "code" | "subject">): string =>
  subject === "" ? code : `${code}:${subject}`;

/** Negative if the first one is worse. */
export const compareSeverity = (one: Severity, other: Severity): number =>
  SEVERITIES.indexOf(one) - SEVERITIES.indexOf(other);

export const worstOf = (severities: readonly Severity[]): Severity =>
  severities.toSorted(compareSeverity)[0] ?? "info";

/** Returns a name that others chose so that it can be shown anywhere: printable, and of bounded length. */
export const shownName = (name: string): string => cut(printable(name), PROBLEM_NAME_LENGTH_MAX);

/** Does the same to a reason, which stands within a sentence. */
export const shownReasonText = (reason: string): string =>
  cut(printable(reason).replace(/[.\s]+$/, ""), PROBLEM_REASON_LENGTH_MAX);

/** Cuts between characters, not within one of two code units. */
function cut(text: string, lengthMax: number): string {
  if (text.length <= lengthMax) return text;
  return `${text.slice(0, lengthMax - 1).replace(/[\uD800-\uDBFF]$/, "")}…`;
}
