import { expect, test } from "bun:test";
import type { ProblemAnswer } from "../../../../src/dashboard/api/types.ts";
import { problemLinks } from "../../../../src/dashboard/pages/overview/problem-links.ts";

const problemOf = (code: ProblemAnswer["code"], details: ProblemAnswer["details"]): ProblemAnswer => ({
  ...{
    id: code,
    code,
    severity: "warning",
    since: "2026-11-28T07:00:00.000Z",
    message: "",
    hint: "",
    details,
  },
});

test("a problem links to the requests of its agents and models, to its users, and to a page", () => {
  const agents = [{ id: "a/1", name: "gpu 1" }];
  expect(problemLinks(problemOf("requests_waiting", { agents, models: ["llama3.3"] }))).toEqual([
    { href: "#/requests?agent=a%2F1&period=1h", label: "Requests of gpu 1" },
    { href: "#/requests?model=llama3.3&period=1h", label: "Requests for llama3.3" },
    { href: "#/agents", label: "Agents" },
  ]);
  const users = [
    { user_id: "u 1", name: "Ann" },
    { user_id: "u2", name: null },
  ];
  expect(problemLinks(problemOf("users_limited", { users }))).toEqual([
    { href: "#/users/u%201", label: "User Ann" },
    { href: "#/users/u2", label: "User u2" },
    { href: "#/users", label: "Users" },
  ]);
});

test("a model that nobody offers has no link to its requests, which are not kept", () => {
  expect(problemLinks(problemOf("model_missing", { models: ["m"] }))).toEqual([
    { href: "#/models", label: "Models" },
  ]);
});

test("a problem whose advice is an alias or a fallback links to the page where it is edited", () => {
  const labels = (...problem: Parameters<typeof problemOf>) =>
    problemLinks(problemOf(...problem)).map(({ label }) => label);
  expect(labels("model_missing", { models: ["m"] })).toEqual(["Models"]);
  expect(labels("requests_waiting", { cause: "full" })).toEqual(["Agents", "Models"]);
  expect(labels("requests_waiting", { cause: "gone" })).toEqual(["Agents"]);
});

test("many agents have a link for the first three only", () => {
  const agents = Array.from({ length: 10 }, (_, index) => ({ id: `${index}`, name: `${index}` }));
  expect(problemLinks(problemOf("agent_failing", { agents }))).toHaveLength(4);
});
