import { expect, test } from "bun:test";
import { createResume } from "../../src/auth/resume.ts";

test("a secret is valid only for its agent, and only with the key that the agent registered with", () => {
  const { secretFor, matches } = createResume("main key");
  const keys = [null, undefined, "k1", "k2"];
  for (const own of keys)
    for (const shown of keys) expect(matches("a", secretFor("a", own), shown)).toBe(own === shown);
  expect(matches("b", secretFor("a", null), null)).toBe(false);
});
