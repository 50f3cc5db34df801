import { describe, expect, test } from "bun:test";
import { outcomeOf } from "../../src/builtin-agent/outcome.ts";

const NOW = Date.UTC(2030, 0, 1, 12, 0, 0);
const outcome = (status: number, headers: Record<string, string> = {}, body = "") =>
  outcomeOf(new Response(null, { status, headers }), body, NOW);

describe("how long to wait before the next try", () => {
  test.each<[Record<string, string>, number | undefined]>([
    [{ "retry-after": "2" }, 2000],
    [{ "retry-after": "0.5" }, 500],
    [{ "retry-after": "Tue, 01 Jan 2030 12:00:30 GMT" }, 30_000],
    [{ "retry-after": "Tue, 01 Jan 2030 11:00:00 GMT" }, 0],
    [{ "retry-after-ms": "150", "retry-after": "2" }, 150],
    [{ "retry-after": "999999999" }, 3_600_000],
    [{ "retry-after": "soon" }, undefined],
    [{}, undefined],
  ])("%j", (headers, expected) => {
    const found = outcome(429, headers);
    expect(found.type === "fail" && found.retry_after_ms).toBe(expected as number);
  });
});

test("an error of the upstream is told in its own words, and in ours where it has none", () => {
  const told = (body: string) => {
    const found = outcome(500, {}, body);
    return found.type === "fail" ? found.error : undefined;
  };
  const error = { message: "GPU on fire", type: "server_error", code: "overheated", param: null };
  expect(told(JSON.stringify({ error }))).toEqual({
    message: "GPU on fire",
    type: "server_error",
    code: "overheated",
  });
  expect(told(JSON.stringify({ error: { message: "x", type: null, code: 503 } }))).toEqual({ message: "x" });
  expect(told("<h1>no</h1>")).toEqual({ message: "the upstream answers 500" });
  expect(told(JSON.stringify({ error: { message: "x", type: "t".repeat(300) } }))?.type).toHaveLength(256);
});

test("a refused key tells nothing of the answer, which may hold a part of it", () => {
  for (const status of [401, 403])
    expect(JSON.stringify(outcome(status, {}, '{"error":{"message":"bad key sk-12**89"}}'))).not.toContain(
      "sk-",
    );
});

test("headers that say when and whether to try again are passed on, of errors only, and no others", () => {
  const headers = {
    "x-should-retry": "false",
    "x-ratelimit-limit-requests": "9",
    server: "x",
    "set-cookie": "a",
  };
  const passed = { "x-should-retry": "false", "x-ratelimit-limit-requests": "9" };
  expect(outcome(400, headers)).toMatchObject({ type: "done", headers: passed });
  expect(outcome(429, headers)).toMatchObject({ type: "fail", headers: passed });
  expect(outcome(200, headers)).not.toHaveProperty("headers");
  expect(outcome(400)).not.toHaveProperty("headers");
});

test("a good status over what is no JSON is a failure that another agent may mend", () => {
  for (const torn of ["", '{"choices":[', "<html>"]) {
    expect(outcome(200, {}, torn)).toMatchObject({ type: "fail", retryable: true });
  }
  expect(outcome(200, {}, "{}")).toMatchObject({ type: "done", body: "{}" });
});
