import { expect, test } from "bun:test";
import { describeEnd, describeProblem } from "../../../src/alerts/sentences.ts";
import { problemAnswers } from "../../../src/http/alerts/answers.ts";
import { ProblemAnswer } from "../../../src/http/alerts/schema.ts";
import { PROBLEM_CODES, WAIT_CAUSES } from "../../../src/protocol/node/problems.ts";
import { AT, failing, ofServer } from "../../alerts/problems.ts";

test("a problem is shown in words and in fields, with times as text", () => {
  const problem = failing("gpu-1", { details: { ...failing("gpu-1").details, cause_since: AT } });
  const [answer] = problemAnswers([problem], AT + 5_000);
  expect(answer).toEqual({
    ...{ id: "agent_failing:gpu-1", code: "agent_failing", severity: "warning" },
    since: new Date(AT).toISOString(),
    message: "gpu-1 has failed 4 of its last 4 requests: connection refused.",
    hint: expect.any(String),
    details: {
      ...{ agents: [{ id: "gpu-1", name: "gpu-1" }], requests: 4, failed: 4, reason: "connection refused" },
      cause_since: new Date(AT).toISOString(),
    },
  });
});

test("every kind of problem and of its end has sentences, whatever details another node leaves out", () => {
  const problems = [
    ...PROBLEM_CODES.map((code) => ofServer(code)),
    ...WAIT_CAUSES.map((cause) => ofServer("requests_waiting", { subject: cause, details: { cause } })),
  ];
  for (const problem of problems) {
    const { message, hint } = describeProblem(problem, AT + 200_000);
    for (const text of [message, hint, describeEnd(problem, AT + 200_000)]) {
      expect([problem.code, text]).toEqual([problem.code, expect.stringMatching(/^\S.*\.$/)]);
      expect(text).not.toMatch(/undefined|NaN|null/);
    }
  }
  const answers = problemAnswers(problems, AT);
  for (const answer of answers) expect(ProblemAnswer.parse(answer)).toEqual(answer);
});

test("a time that no calendar has does no harm", () => {
  const since = Number.MAX_VALUE;
  expect(problemAnswers([ofServer("disk_low", { since })], AT)[0]?.since).toStartWith("9999-");
});
