import { expect, test } from "bun:test";
import { readText } from "../../src/builtin-agent/http.ts";

test("a body is read unchanged, with its byte order mark, and no further than allowed", async () => {
  expect(await readText(new Response("\ufeff{}\n"), 100)).toBe("\ufeff{}\n");
  expect(await readText(new Response("x".repeat(101)), 100)).toBeUndefined();
  expect(await readText(new Response("x".repeat(100)), 100)).toHaveLength(100);
});
