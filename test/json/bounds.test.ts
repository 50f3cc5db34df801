import { describe, expect, test } from "bun:test";
import { jsonExcess } from "../../src/json/bounds.ts";

const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);

describe("what is parsed as JSON", () => {
  test.each<[string, string]>([
    ["an ordinary request", '{"model":"m","messages":[{"role":"user","content":"[[[{{{"}]}'],
    ["nesting that is deep", nested(256)],
    ["brackets within a string", `"${"[".repeat(100_000)}"`],
    ["brackets within a string, behind escaped quotes", `{"a":"\\"\\\\\\"${"[{".repeat(1000)}"}`],
    ["many values in a row", `[${"{},".repeat(200_000)}0]`],
    ["a string that does not end", `"${"[".repeat(1000)}`],
    ["a string of backslashes", `"${"\\\\".repeat(500_000)}"`],
    ["nothing", ""],
  ])("may be %s", (_, text) => {
    expect(jsonExcess(text)).toBeUndefined();
  });

  test.each<[string, string]>([
    ["nested too deeply", nested(257)],
    ["nested too deeply, as objects", '{"a":'.repeat(300)],
    ["nested too deeply behind a string with an escaped quote", `["\\"",${nested(300)}]`],
    ["nested too deeply behind a string that ends in a backslash", `["\\\\",${nested(300)}]`],
    ["of too many values", `[${"0,".repeat(500_001)}0]`],
  ])("may not be %s", (_, text) => {
    expect(jsonExcess(text)).toBeDefined();
  });

  test("may have more values where that is usual", () => {
    expect(jsonExcess(`[${"0,".repeat(500_001)}0]`, Number.POSITIVE_INFINITY)).toBeUndefined();
  });
});

test("20 MB of brackets are refused before they hold anybody up", () => {
  const text = Buffer.alloc(20 * 1024 * 1024, "[").toString("latin1");
  const startedAt = performance.now();
  expect(jsonExcess(text)).toBeDefined();
  // Parsing them takes 4 s, and 10 s with their other halves.
  expect(performance.now() - startedAt).toBeLessThan(500);
});
