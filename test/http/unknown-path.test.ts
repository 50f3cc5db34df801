import { expect, test } from "bun:test";
import { ROUTES } from "../../src/http/resources.ts";
import { createRouteTable } from "../../src/http/route-table.ts";
import { unknownPathHint } from "../../src/http/unknown-path.ts";
import { sendRawRequest } from "../support/http.ts";
import { ADMIN_KEY, startTestServer } from "../support/server.ts";

const table = createRouteTable(ROUTES);

test.each([
  ["/v1/files", "no files"],
  ["/v1/files/file-1/content", "no files"],
  ["/v1/uploads", "no files"],
  ["/files", "no files"],
  ["/openai/v1/files", "no files"],
  ["/anthropic/v1/files", "no files"],
  ["/v1/v1/batches", "no batches"],
  ["/v1/batches/batch_1/cancel", "no batches"],
  ["/v1/messages/batches", "no batches"],
  ["/v1/fine_tuning/jobs", "trains no models"],
  ["/v1/assistants", "no assistants"],
  ["/v1/threads/thread_1/runs", "no threads"],
  ["/v1/vector_stores", "no vector stores"],
  ["/v1/realtime", "no realtime sessions"],
  ["/v1/realtime/sessions", "no realtime sessions"],
  ["/v1/videos", "no videos"],
  ["/v1/evals", "no evaluations"],
  ["/v1/containers", "no containers"],
  ["/v1/organization/costs", "administration"],
  ["/v1/engines/davinci/completions", undefined],
  ["/v1/edits", "retired"],
  ["/v1/images/variations", "POST /v1/images/edits"],
  ["/v1/responses/compact", "does not compact"],
  ["/responses/input_tokens", "POST /v1/messages/count_tokens"],
  ["/v1/responses/compact_1", undefined],
  ["/v1/complete", "POST /v1/messages"],
  ["/v1/chat/completions/chatcmpl-1", "keeps no chat completions"],
  ["/v1/chat/completions/files", undefined],
  ["/v1/nothing", undefined],
  ["/v1/filesystem", undefined],
  ["/nothing", undefined],
])("the hint for the path %s has %p", (path, words) => {
  const hint = unknownPathHint(path, table);
  if (words === undefined) expect(hint).toBeUndefined();
  else expect(hint).toContain(words);
});

test.each([
  ["/v1/chat/completion", "POST /v1/chat/completions"],
  ["/v1/chat/compeltions/", "POST /v1/chat/completions"],
  ["/V1/Chat/Completions", "POST /v1/chat/completions"],
  ["/chat/completion", "POST /v1/chat/completions"],
  ["/openai/v1/embedding", "POST /v1/embeddings"],
  ["/v1/model", "GET /v1/models"],
  ["/v1/message", "POST /v1/messages"],
  ["/v1/messages/count_token", "POST /v1/messages/count_tokens"],
  ["/v1/response", "POST /v1/responses"],
  ["/api/ask/", "POST /api/ask"],
  ["/api/asks", "POST /api/ask"],
  ["/health/", "GET /health"],
])("the path %s is taken for a typing mistake of %s", (path, route) => {
  expect(unknownPathHint(path, table)).toBe(`Did you mean \`${route}\`?`);
});

test("every path that a hint names has a route", () => {
  const hints = [
    "files",
    "batches",
    "fine_tuning",
    "assistants",
    "vector_stores",
    "realtime",
    "videos",
    "evals",
  ]
    .concat(["containers", "organization", "edits", "complete", "chat/completions/chatcmpl-1"])
    .concat(["images/variations", "responses/compact", "responses/input_tokens"])
    .map((path) => unknownPathHint(`/v1/${path}`, table) ?? "");
  const named = hints.flatMap((hint) => [...hint.matchAll(/`(GET|POST) (\/[\w/]+)`/g)]);
  expect(named.length).toBeGreaterThan(12);
  for (const [, method = "", path = ""] of named)
    expect([path, table.find(method, path)?.path]).toEqual([path, path]);
});

test("a path of thousands of characters is not compared with others", () => {
  expect(unknownPathHint(`/v1/${"a".repeat(60_000)}`, table)).toBeUndefined();
});

test("a path that is not offered is a 404 in the caller's style, with a key, without, and with a wrong one", async () => {
  const { url } = await startTestServer();
  const call = async (path: string, headers: Record<string, string> = {}, method = "GET") => {
    const response = await fetch(`${url}${path}`, { method, headers });
    const { request_id: _, ...body } = (await response.json()) as { request_id?: string; error: object };
    return [response.status, body];
  };
  const message = expect.stringMatching(/^There is no such path\. The server keeps no files\./);
  const openai = {
    error: expect.objectContaining({ type: "invalid_request_error", code: "not_found", message }),
  };
  for (const headers of [{}, { authorization: `Bearer ${ADMIN_KEY}` }, { authorization: "Bearer wrong" }])
    for (const path of ["/v1/files", "/files", "/openai/v1/files"])
      for (const method of ["GET", "POST", "DELETE"])
        expect([path, await call(path, headers, method)]).toEqual([path, [404, openai]]);
  const anthropic = { type: "error", error: { type: "not_found_error", message } };
  expect(await call("/v1/files", { "anthropic-version": "2023-06-01" })).toEqual([404, anthropic]);
  expect(await call("/anthropic/v1/files")).toEqual([404, anthropic]);
  expect(await call("/v1/messages/batches", {}, "POST")).toMatchObject([404, { type: "error" }]);
  expect(await call("/api/ask/", {}, "POST")).toEqual([
    404,
    { error: "404 page not found", hint: "Did you mean `POST /api/ask`?" },
  ] as never);
});

test("a WebSocket for a realtime session is a 404 that says what to use", async () => {
  const { url } = await startTestServer();
  const handshake = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13";
  const key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
  const asked = `GET /v1/realtime?model=m HTTP/1.1\r\nHost: localhost\r\n${handshake}\r\n${key}\r\n\r\n`;
  const answer = await sendRawRequest(url, asked);
  expect(answer?.status).toBe(404);
  expect(JSON.parse(answer?.body ?? "").error.message).toContain("no realtime sessions");
});

test("a part of an API that is not offered is a 404, though a route with a parameter has its path", async () => {
  const { url } = await startTestServer();
  const headers = { authorization: `Bearer ${ADMIN_KEY}` };
  for (const path of ["/v1/responses/compact", "/responses/input_tokens"]) {
    const response = await fetch(url + path, { method: "POST", headers, body: "{}" });
    const { error } = (await response.json()) as { error: { message: string } };
    expect([path, response.status, response.headers.get("allow")]).toEqual([path, 404, null]);
    expect(error.message).toStartWith("There is no such path. The server does not co");
  }
  const other = await fetch(`${url}/v1/responses/resp_1`, { method: "POST", headers, body: "{}" });
  expect([other.status, other.headers.get("allow")]).toEqual([405, "GET, HEAD, DELETE, OPTIONS"]);
});

test.each([
  ["/chat/completion", { error: { code: "not_found", type: "invalid_request_error" } }],
  ["/mesages", { type: "error", error: { type: "not_found_error" } }],
  ["/API/TAGS", { error: "There is no such path. Did you mean `GET /api/tags`?" }],
  ["/healt", { error: "404 page not found", hint: "Did you mean `GET /health`?" }],
])(
  "the error for the typing mistake %s has the style of the route that was meant",
  async (path, expected) => {
    const { url } = await startTestServer();
    const response = await fetch(url + path);
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject(expected);
  },
);
