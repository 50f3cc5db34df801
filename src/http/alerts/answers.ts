import { idOf } from "../../alerts/finding.ts";
import { describeProblem } from "../../alerts/sentences.ts";
import type { Problem } from "../../protocol/node/problems.ts";
import type { ProblemAnswer } from "./schema.ts";

/** Returns the problems as the API and the dashboard show them. `now` is in milliseconds since 1970. */
export function problemAnswers(problems: readonly Problem[], now: number): ProblemAnswer[] {
  return problems.map((problem) => {
    const { code, severity, since, details } = problem;
    const { cause_since: causeSince, expires_at: expiresAt, ...others } = details;
    return {
      ...{ id: idOf(problem), code, severity, since: timeOf(since), ...describeProblem(problem, now) },
      details: {
        ...others,
        ...(causeSince !== undefined && { cause_since: timeOf(causeSince) }),
        ...(expiresAt !== undefined && { expires_at: timeOf(expiresAt) }),
      },
    };
  });
}

/** A time of another node may be any number. */
const timeOf = (at: number): string => new Date(Math.min(at, TIME_MAX)).toISOString();
const TIME_MAX = Date.UTC(9999, 11, 31);
