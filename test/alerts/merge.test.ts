import { expect, test } from "bun:test";
import { mergeProblems } from "../../src/alerts/merge.ts";
import { Problem } from "../../src/protocol/node/problems.ts";
import { AT, failing, ofServer } from "./problems.ts";

test("the worst problems come first, and of equal ones those that last for longest", () => {
  const problems = [
    ofServer("users_limited", { subject: "u", severity: "info", since: AT - 9 }),
    failing("b"),
    failing("a", { since: AT - 5 }),
    ofServer("database_away"),
  ];
  expect(mergeProblems(problems).map(({ code, subject }) => [code, subject])).toEqual([
    ["database_away", ""],
    ["agent_failing", "a"],
    ["agent_failing", "b"],
    ["users_limited", "u"],
  ]);
});

test("three agents that fail are three problems, and a fourth makes them one", () => {
  const agents = ["a", "b", "c"].map((id) => failing(id));
  expect(mergeProblems(agents)).toHaveLength(3);
  const [group, ...others] = mergeProblems([
    ...agents,
    failing("d", { since: AT - 7, severity: "critical" }),
  ]);
  expect(others).toEqual([]);
  expect(group).toMatchObject({
    ...{ code: "agent_failing", subject: "", severity: "critical", since: AT - 7 },
    details: { count: 4, agents: [{ id: "a" }, { id: "b" }, { id: "c" }, { id: "d" }] },
  });
});

test("the groups of several nodes are one, with the agents of all, and so are a group and a single agent", () => {
  const groupOf = (node: string, size: number) =>
    mergeProblems(Array.from({ length: size }, (_, index) => failing(`${node}${index}`)));
  const merged = mergeProblems([...groupOf("x", 5), ...groupOf("y", 7), failing("z")]);
  expect(merged).toMatchObject([{ subject: "", details: { count: 13 } }]);
  expect(merged[0]?.details.agents).toHaveLength(10);
  expect(Problem.parse(merged[0])).toEqual(merged[0] as Problem);
});

test("requests that wait for the same model at several nodes are added up", () => {
  const waiting = (requests: number, wait_ms: number, nodeAgent: string): Problem => ({
    ...{ code: "requests_waiting", subject: "m", severity: "warning", since: AT - wait_ms },
    details: {
      ...{ models: ["m"], requests, wait_ms, cause: "full", count: 1, slots: 2 },
      agents: [{ id: nodeAgent, name: nodeAgent }],
    },
  });
  expect(mergeProblems([waiting(3, 40_000, "a"), waiting(4, 50_000, "b")])).toEqual([
    {
      ...{ code: "requests_waiting", subject: "m", severity: "warning", since: AT - 50_000 },
      details: {
        ...{ models: ["m"], requests: 7, wait_ms: 50_000, cause: "full", count: 2, slots: 4 },
        ...{
          agents: [
            { id: "a", name: "a" },
            { id: "b", name: "b" },
          ],
        },
      },
    },
  ]);
});

test("a problem of several nodes names them", () => {
  const away = (node: string) => ofServer("database_away", { details: { nodes: [node], serves: true } });
  expect(mergeProblems([away("a"), away("b")])).toMatchObject([
    { code: "database_away", details: { nodes: ["a", "b"], serves: true } },
  ]);
});
