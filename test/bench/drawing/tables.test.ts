import { expect, test } from "bun:test";
import { Report } from "../report.ts";
import { BEGIN, END, resultsOf, withResults } from "./tables.ts";

const SPREAD = { median: 0.5, p10: 0.4, p90: 0.6 };
const ROW = {
  metric: "rate",
  unit: "asks/s",
  base: 10,
  value: 5,
  ratio: SPREAD,
  same: SPREAD,
  machineLoad: 1,
};
const GOAL = { of: "ratio", atLeast: 0.65 };

function resultsWith(rows: readonly object[]): string {
  return resultsOf(
    Report.parse({
      ...{
        at: "2026-01-02T03:04:05.678Z",
        version: "1.0.0",
        bun: "1",
        processor: "p",
        cores: 2,
        set: "goals",
      },
      ...{ restarts: 3, rounds: 9, seconds: 1, warmUpSeconds: 5, warmUpRequests: 20_000, idleAgents: 1 },
      ...{ loadBefore: [0.5], loadAfter: [1.5], peers: { nginx: "1.2" }, rows },
    }),
  );
}

/** Returns the first cell of each row of the table under a heading. */
function scenariosUnder(results: string, heading: string): string[] {
  const [, section = ""] = results.split(`### ${heading}\n`);
  const [table = ""] = section.split("###");
  return [...table.matchAll(/^\| ([^|]+) \|/gm)].map(([, cell = ""]) => cell).slice(2);
}

test("the results name the run, the versions of the other programs and the load of the machine", () => {
  const results = resultsWith([{ ...ROW, scenario: "asks, 1 caller" }]);
  expect(results).toContain("version 1.0.0, Bun 1, nginx 1.2, on 2 cores (p)");
  expect(results).toContain("after 20,000 requests");
  expect(results).toContain("0.5 before the run and 1.5 after it");
  expect(results).not.toContain("busy");
});

test("a missed goal is listed with its spread and its limit, and a goal that is met is only counted", () => {
  const met = { ...ROW, scenario: "asks, 1 caller", goal: { of: "value", atMost: 6 } };
  const missed = resultsWith([{ ...ROW, scenario: "asks, 32 callers", goal: GOAL }, met]);
  expect(missed).toContain("1 of 2 goals are met.");
  expect(missed).toContain("- asks, 32 callers, rate: a ratio of 0.50 (0.40–0.60), and the goal is ≥ 0.65.");
  expect(resultsWith([met])).toContain("All 1 goals are met.");
});

test("a ratio that could not be measured misses its goal", () => {
  const none = { median: null, p10: null, p90: null };
  expect(resultsWith([{ ...ROW, scenario: "asks, 1 caller", ratio: none, goal: GOAL }])).toContain("0 of 1");
});

test("each row is in the table of its group, those with a goal first", () => {
  const results = resultsWith([
    { ...ROW, scenario: "chat, 32 callers" },
    { ...ROW, scenario: "64 streams, saturated", goal: GOAL },
    { ...ROW, scenario: "3 dashboards, compared with none" },
    { ...ROW, scenario: "bridge, whole, 32 callers: built-in / nginx", goal: GOAL },
    { ...ROW, scenario: "bridge, whole, 32 callers: separate / Portkey" },
  ]);
  expect(scenariosUnder(results, "Chat completions and streams")).toEqual([
    "64 streams, saturated",
    "chat, 32 callers",
  ]);
  expect(scenariosUnder(results, "Everything else")).toEqual(["3 dashboards, compared with none"]);
  // The row without a goal is in the file only.
  expect(scenariosUnder(results, "Through our own agent")).toEqual(["whole, 32 callers: built-in / nginx"]);
});

test("a table shows the highest of several levels, and any that misses its goal", () => {
  const level = (count: string, median: number) => ({
    ...{ ...ROW, scenario: `growth, chat beside ${count} idle agents, compared with 10`, goal: GOAL },
    ratio: { ...SPREAD, median },
  });
  const results = resultsWith([level("100", 0.9), level("1,000", 0.1), level("10,000", 0.9)]);
  expect(scenariosUnder(results, "Growth")).toEqual(["1,000 idle agents", "10,000 idle agents"]);
});

test("a goal that several levels miss is listed once, with the highest level", () => {
  const level = (count: string) => ({
    ...{ ...ROW, scenario: `core, ${count} agents`, ratio: SPREAD, spread: { median: 5, p10: 4, p90: 6 } },
    goal: { of: "value", atMost: 1 },
  });
  const results = resultsWith([level("10"), level("100"), level("1,000")]);
  expect(results.match(/^- .*/gm)).toEqual([
    "- core, 1,000 agents, rate: 5 asks/s (4–6), and the goal is ≤ 1. It is also missed at 2 lower levels.",
  ]);
});

test("the results name a scenario that could not be measured, with its reason", () => {
  const skipped = { scenario: "growth", metric: "skipped", unit: "", value: null, note: "There is no room." };
  expect(resultsWith([skipped])).toContain("Not measured: growth. There is no room.");
});

test("the results are replaced on the page, and everything around them stays", () => {
  const page = withResults(`before\n${BEGIN}\n\nold\n\n${END}\nafter\n`, "new");
  expect(page).toBe(`before\n${BEGIN}\n\nnew\n\n${END}\nafter\n`);
  expect(withResults(page, "new")).toBe(page);
  expect(() => withResults("a page without the lines", "new")).toThrow("no place");
});
