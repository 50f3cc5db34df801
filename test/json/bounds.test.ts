import { expect, test } from "bun:test";
import { jsonExcess } from "../../src/json/bounds.ts";

const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);

test.each<[string, string]>([
  ["an ordinary request", '{"model":"m","messages":[{"role":"user","content":"[[[{{{"}]}'],
  ["nested 256 levels deep", nested(256)],
  ["a string of brackets", `"${"[".repeat(100_000)}"`],
  ["a string of brackets behind escaped quotes", `{"a":"\\"\\\\\\"${"[{".repeat(1000)}"}`],
  ["a list of many values", `[${"{},".repeat(200_000)}0]`],
  ["a list of two million numbers", `[${"100264,".repeat(2_000_000)}0]`],
  ["a list of two million numbers with white space between them", `[${"-1,\n\t ".repeat(2_000_000)}0]`],
  ["2,000 lists of 1,000 numbers", `[${`[${"7, ".repeat(999)}0],`.repeat(2000)}0]`],
  ["a string that does not end", `"${"[".repeat(1000)}`],
  ["a string of backslashes", `"${"\\\\".repeat(500_000)}"`],
  ["too short to be JSON that is nested too deeply", "[".repeat(512)],
  ["empty", ""],
])("a text may be parsed if it is %s", (_, text) => {
  expect(jsonExcess(text)).toBeUndefined();
});

test.each<[string, string]>([
  ["nested too deeply", nested(257)],
  ["nested too deeply, as objects", '{"a":'.repeat(300)],
  ["nested too deeply behind a string with an escaped quote", `["\\"",${nested(300)}]`],
  ["nested too deeply behind a string that ends in a backslash", `["\\\\",${nested(300)}]`],
  ["of too many values", `[${"{},".repeat(250_001)}0]`],
  ["of too many strings", `[${'"",'.repeat(500_001)}0]`],
  ["of too many keys", `{${'"a":0,'.repeat(500_001)}"a":0}`],
  ["of too many numbers", `[${"0,".repeat(4_000_001)}0]`],
])("a text may not be parsed if it is %s", (_, text) => {
  expect(jsonExcess(text)).toBeDefined();
});

test("a text may have more values if the limit for them is lifted", () => {
  expect(jsonExcess(`[${'"",'.repeat(500_001)}0]`, Number.POSITIVE_INFINITY)).toBeUndefined();
});

test("20 MB of brackets are refused after the first 257 of them", () => {
  const brackets = Buffer.alloc(20 * 1024 * 1024, "[").toString("latin1");
  let read = 0;
  const counted = {
    length: brackets.length,
    charCodeAt(at: number) {
      read++;
      return brackets.charCodeAt(at);
    },
  };
  expect(jsonExcess(counted as string)).toBe("It is nested more than 256 levels deep.");
  expect(read).toBe(257);
});
