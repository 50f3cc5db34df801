import { expect, test } from "bun:test";
import { Report } from "../report.ts";
import { drawReports } from "./draw.ts";
import { picturesOf, readKept } from "./kept.ts";

/** Returns the names of the elements that are not closed, or closed in the wrong order. */
function unclosed(svg: string): string[] {
  const open: string[] = [];
  for (const [, slash, name = "", empty] of svg.matchAll(/<(\/?)([a-z]+)[^>]*?(\/?)>/g)) {
    if (slash === "/") {
      if (open.pop() !== name) return [name];
    } else if (empty !== "/") open.push(name);
  }
  return open;
}

test("the picture and the tables are made from the results that are kept", async () => {
  const kept = await readKept();
  expect(kept.length).toBeGreaterThan(0);
  for (const [path, text] of await picturesOf(kept)) expect(await Bun.file(path).text(), path).toBe(text);
});

const report = (rows: unknown[]): Report =>
  Report.parse({
    ...{
      at: "2026-01-02T03:04:05.678Z",
      version: "1.0.0 <&>",
      bun: "1",
      processor: "p",
      cores: 2,
      set: "full",
    },
    ...{ restarts: 3, rounds: 9, seconds: 1, warmUpSeconds: 5, warmUpRequests: 1, idleAgents: 1, peers: {} },
    ...{ loadBefore: [0], loadAfter: [0], rows },
  });

const ROW = {
  metric: "rate",
  unit: "asks/s",
  base: 10,
  value: 5,
  ratio: { median: 0.5, p10: 0.4, p90: 0.6 },
};

test("a picture has a bar for each result of a row, its goal, and only well-formed elements", () => {
  const goal = { of: "ratio", atLeast: 0.65 };
  const rows = [
    { ...ROW, scenario: "asks, 1 <caller>", goal },
    { ...ROW, scenario: "bridge, whole: built-in / nginx" },
  ];
  const svg = drawReports([report(rows), report(rows)]);
  expect(unclosed(svg)).toEqual([]);
  expect(svg).toContain("asks, 1 &lt;caller&gt;");
  expect(svg).toContain("1.0.0 &lt;&amp;&gt;, 2026-01-02");
  // Each of the two results has two bars and a key.
  expect(svg.match(/<rect [^>]*class="r0"/g)?.length).toBe(3);
  expect(svg.match(/<rect [^>]*class="r1"/g)?.length).toBe(3);
  expect(svg.match(/class="goal"/g)?.length).toBe(2);
  expect(svg).not.toContain("NaN");
});

test("a value that was not measured is left out of the picture", () => {
  const none = { median: null, p10: null, p90: null };
  const svg = drawReports([report([{ ...ROW, scenario: "asks, 1 caller", ratio: none }])]);
  expect(svg).not.toContain("asks, 1 caller");
});
