import { expect, test } from "bun:test";
import { endFrameOf } from "../../src/builtin-agent/end-frame.ts";
import { DoneFrame, FailFrame } from "../../src/protocol/agent-v2.ts";

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
  expect(errorFor("<h1>no</h1>")).toEqual({ message: "no" });
  expect(errorFor("")).toEqual({ message: "the upstream responded with status 500" });
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

test("an upstream without money or quota is a failure that another agent may retry, and is avoided for a while", () => {
  const body = '{"error":{"message":"Insufficient Balance"}}';
  expect(endFrame(402, {}, body)).toMatchObject({
    type: "fail",
    retryable: true,
    status: 402,
    error: { message: "Insufficient Balance" },
    retry_after_ms: 60_000,
  });
  expect(endFrame(402, { "retry-after": "2" }, body)).toMatchObject({ retry_after_ms: 2000 });
  expect(endFrame(429, {}, body)).toMatchObject({ type: "fail", retryable: true });
});

test("a 403 is the request's own unless it is about the key", () => {
  const flagged = '{"error":{"message":"The input was flagged"}}';
  expect(endFrame(403, {}, flagged)).toEqual({ type: "done", status: 403, body: flagged });
  expect(endFrame(403, {}, '{"error":{"code":"invalid_api_key"}}')).toMatchObject({
    type: "fail",
    retryable: true,
  });
});

test("a 200 whose body is an error counts with the status that the body names", () => {
  const error = (more: object) => JSON.stringify({ error: { message: "no", ...more } });
  expect(endFrame(200, {}, error({}))).toMatchObject({
    type: "fail",
    retryable: true,
    error: { message: "no" },
  });
  expect(endFrame(200, {}, error({ code: 429 }))).toMatchObject({
    type: "fail",
    retryable: true,
    status: 429,
  });
  for (const more of [{ code: 400 }, { type: "invalid_request_error" }])
    expect(endFrame(200, {}, error(more))).toMatchObject({ type: "done", status: 400 });
  expect(JSON.stringify(endFrame(200, {}, error({ code: 401 })))).not.toContain('"no"');
});

test("a header that is too long for a frame is left out, as the server would close the connection for it", () => {
  const headers = { "retry-after": "9".repeat(4000), "x-ratelimit-limit-requests": "1".repeat(2048) };
  for (const status of [400, 429, 503]) {
    const found = endFrame(status, headers);
    const schema = found.type === "fail" ? FailFrame : DoneFrame;
    expect(schema.parse({ ...found, ask: crypto.randomUUID() }).headers).toEqual({
      "x-ratelimit-limit-requests": "1".repeat(2048),
    });
  }
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

test("a 200 whose body is JSON but not an object is a failure that another agent may retry", () => {
  for (const body of ["null", "7", '"x"', "true", "[]"])
    expect(endFrame(200, {}, body)).toMatchObject({ type: "fail", retryable: true });
});

test("a proxy that demands a login is the agent's trouble, and clients do not get its status", () => {
  const found = endFrame(407, { "proxy-authenticate": "Basic" }, "<title>Login</title>");
  const error = { message: "a proxy in front of the upstream demands a login" };
  expect(found).toEqual({ type: "fail", error, retryable: true });
});
