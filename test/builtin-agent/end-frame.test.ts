import { expect, test } from "bun:test";
import { endFrameOf } from "../../src/builtin-agent/end-frame.ts";

const NOW = Date.UTC(2030, 0, 1, 12, 0, 0);
const endFrame = (status: number, headers: Record<string, string> = {}, body = "") =>
  endFrameOf(new Response(null, { status, headers }), body, NOW);

test.each<[Record<string, string>, number | undefined]>([
  [{ "retry-after": "2" }, 2000],
  [{ "retry-after": "0.5" }, 500],
  [{ "retry-after": "Tue, 01 Jan 2030 12:00:30 GMT" }, 30_000],
  [{ "retry-after": "Tue, 01 Jan 2030 11:00:00 GMT" }, 0],
  [{ "retry-after-ms": "150", "retry-after": "2" }, 150],
  [{ "retry-after": "999999999" }, 3_600_000],
  [{ "retry-after": "soon" }, undefined],
  [{}, undefined],
])("the headers %j ask for a pause of %p ms", (headers, expected) => {
  const found = endFrame(429, headers);
  expect(found.type === "fail" && found.retry_after_ms).toBe(expected as number);
});

test("an upstream's error is passed on in its own words, or in ours if it has none", () => {
  const errorFor = (body: string) => {
    const found = endFrame(500, {}, body);
    return found.type === "fail" ? found.error : undefined;
  };
  const error = { message: "GPU on fire", type: "server_error", code: "overheated", param: null };
  expect(errorFor(JSON.stringify({ error }))).toEqual({
    message: "GPU on fire",
    type: "server_error",
    code: "overheated",
  });
  expect(errorFor(JSON.stringify({ error: { message: "x", type: null, code: 503 } }))).toEqual({
    message: "x",
  });
  expect(errorFor("<h1>no</h1>")).toEqual({ message: "the upstream responded with status 500" });
  expect(errorFor(JSON.stringify({ error: { message: "x", type: "t".repeat(300) } }))?.type).toHaveLength(
    256,
  );
});

test("if the key is refused, nothing of the response is passed on, as it may contain part of the key", () => {
  for (const status of [401, 403])
    expect(JSON.stringify(endFrame(status, {}, '{"error":{"message":"bad key sk-12**89"}}'))).not.toContain(
      "sk-",
    );
});

test("only headers about retries are passed on, and only those of errors", () => {
  const headers = {
    "x-should-retry": "false",
    "x-ratelimit-limit-requests": "9",
    server: "x",
    "set-cookie": "a",
  };
  const passed = { "x-should-retry": "false", "x-ratelimit-limit-requests": "9" };
  expect(endFrame(400, headers)).toMatchObject({ type: "done", headers: passed });
  expect(endFrame(429, headers)).toMatchObject({ type: "fail", headers: passed });
  expect(endFrame(200, headers)).not.toHaveProperty("headers");
  expect(endFrame(400)).not.toHaveProperty("headers");
});

test("a 200 whose body is not JSON is a failure that another agent may retry", () => {
  for (const torn of ["", '{"choices":[', "<html>"]) {
    expect(endFrame(200, {}, torn)).toMatchObject({ type: "fail", retryable: true });
  }
  expect(endFrame(200, {}, "{}")).toMatchObject({ type: "done", body: "{}" });
});
