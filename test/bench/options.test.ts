import { expect, test } from "bun:test";
import { readOptions, usageOf } from "./options.ts";
import { SCENARIOS } from "./scenarios/scenarios.ts";

const read = (...args: string[]) => readOptions(args, SCENARIOS);
const names = (...args: string[]) => read(...args).scenarios.map(({ name }) => name);

test("without a flag the quick scenarios run, and with --full all of them", () => {
  expect(names()).toContain("asks");
  expect(names()).not.toContain("idle-agents");
  expect(names("--full")).toEqual(SCENARIOS.map(({ name }) => name));
});

test("--goals runs every scenario that has a goal for its speed, with up to 10,000 agents", () => {
  expect(names("--goals")).toEqual(
    expect.arrayContaining([
      "asks",
      "streams",
      "bridge",
      "growth",
      "growth-events",
      "growth-core",
      "history",
    ]),
  );
  expect(read("--goals").idleAgents).toBe(10_000);
});

test("every set starts each side three times, with the same warm-up", () => {
  for (const flags of [[], ["--goals"], ["--full"]])
    expect(read(...flags)).toMatchObject({ restarts: 3, warmUpRequests: 20_000 });
});

test("there are at least as many rounds as starts, and flags win over the set", () => {
  expect(read("--restarts", "5", "--rounds", "2").rounds).toBe(5);
  expect(read("--full", "--seconds", "0.1", "--only", "size")).toMatchObject({ seconds: 0.1, set: "full" });
});

test("an unknown scenario and a number that is not above 0 are refused", () => {
  expect(() => read("--only", "asks,nope")).toThrow("The scenario nope does not exist.");
  for (const wrong of ["0", "x", "Infinity"]) expect(() => read("--rounds", wrong)).toThrow("--rounds needs");
});

test("the results of some scenarios only are not kept", () => {
  expect(() => read("--only", "size", "--keep")).toThrow("--keep needs a whole set");
  expect(read("--goals", "--keep").keep).toBe(true);
});

test("the text of --help names every scenario", () => {
  const usage = usageOf(SCENARIOS);
  for (const { name } of SCENARIOS) expect(usage).toContain(name);
});
