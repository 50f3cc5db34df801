import { expect, test } from "bun:test";
import { attempt } from "./attempt.ts";
import type { Row } from "./rows.ts";
import { type Context, Skipped } from "./scenario.ts";

function contextThat(events: string[]): Context {
  const workshop = {
    stopTargets: async () => void events.push("stop"),
    agents: { carryOut: async () => void events.push("close") },
  };
  const progress = (line: string) => void events.push(line);
  return { workshop, progress } as unknown as Context;
}

test.each([
  ["an error", new Error("Wrong answer."), "failed"],
  ["a reason to skip it", new Skipped("There are too few files."), "skipped"],
])(
  "a part of the bench that ends with %s becomes a row, and what it started is stopped",
  async (_, error, metric) => {
    const events: string[] = [];
    const rows = await attempt(contextThat(events), "asks", () => Promise.reject(error));
    expect(rows).toMatchObject([{ scenario: "asks", metric, note: error.message }]);
    expect(events).toEqual([`${metric}: ${error.message}`, "stop", "close"]);
  },
);

test("the rows of a part of the bench are returned, and what it started is stopped", async () => {
  const events: string[] = [];
  const row: Row = { scenario: "asks", metric: "rate", unit: "asks/s", value: 1 };
  expect(await attempt(contextThat(events), "asks", async () => [row])).toEqual([row]);
  expect(events).toEqual(["stop", "close"]);
});
