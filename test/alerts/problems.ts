import type { Problem } from "../../src/protocol/node/problems.ts";

export const AT = 1_700_000_000_000;

/** The problem of an agent that fails. */
export function failing(id: string, given: Partial<Problem> = {}): Problem {
  return {
    ...{ code: "agent_failing", subject: id, severity: "warning", since: AT },
    details: { agents: [{ id, name: id }], requests: 4, failed: 4, reason: "connection refused" },
    ...given,
  };
}

/** A problem of the server itself. */
export function ofServer(code: Problem["code"], given: Partial<Problem> = {}): Problem {
  return { code, subject: "", severity: "critical", since: AT, details: {}, ...given };
}
