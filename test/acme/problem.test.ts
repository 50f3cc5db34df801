import { expect, test } from "bun:test";
import { challengeError, requestError } from "../../src/acme/problem.ts";

test.each(["constructor", "toString", "__proto__"])(
  "a problem of the type %p is described like one of any other unknown type",
  (type) => {
    const known = { type: "other", detail: "No.", subproblems: [] };
    const problem = { ...known, type: `urn:ietf:params:acme:error:${type}` };
    expect(requestError(problem, 400).message).toBe(requestError(known, 400).message);
    expect(challengeError("a.example", problem).message).toBe(challengeError("a.example", known).message);
  },
);
