import { beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { createDocument } from "../../../src/http/docs/document.ts";
import { ROUTES } from "../../../src/http/resources.ts";
import { type CheckedAnswer, createAnswerCheck } from "../../support/description/answer-check.ts";
import { checkDescribed, expectDescribed, takeFaults } from "../../support/description/described.ts";
import { startTestServer } from "../../support/server.ts";
import { tempFolder } from "../../support/store.ts";

let check: (answer: CheckedAnswer) => string[];
beforeAll(() => {
  check = createAnswerCheck(createDocument("test", ROUTES));
});

interface Given {
  method?: string;
  path?: string;
  status?: number;
  type?: string;
  headers?: Record<string, string>;
  body?: unknown;
}

const ANSWER = { id: "", response_id: "r", conversation_id: "c", content: "Hello!", error: "" };

/** Returns the faults of a good response of `/api/ask`, changed as given. */
const faultsOf = ({
  method = "POST",
  path = "/api/ask",
  status = 200,
  type = "application/json; charset=utf-8",
  headers = {},
  body = ANSWER,
}: Given = {}) =>
  check({
    ...{ method, url: `http://127.0.0.1${path}`, status },
    headers: new Headers({ "x-request-id": "req_1", ...(type && { "content-type": type }), ...headers }),
    text: typeof body === "string" ? body : JSON.stringify(body),
  });

const { error: _, ...WITHOUT_ERROR } = ANSWER;
const USERS = { method: "GET", path: "/admin/users" };

test.each<[string, Given]>([
  ["a good response", {}],
  ["an error that the route lists", { status: 503, body: { error: "No available clients", hint: "x" } }],
  [
    "headers that are described",
    { status: 503, headers: { "retry-after": "10" }, body: { error: "No available clients" } },
  ],
  ["a stream", { type: "text/event-stream", body: "data: {}\n\n", headers: { "x-accel-buffering": "no" } }],
  ["a path with a query", { ...USERS, path: "/admin/users?details=true", body: { users: [] } }],
  [
    "a parameter with slashes",
    { method: "GET", path: "/v1/models/a/b", status: 404, body: { error: { message: "x" } } },
  ],
  ["a response to HEAD", { ...USERS, method: "HEAD", body: "" }],
  ["a 404 for an unknown path", { path: "/nothing", status: 404, body: { error: "404 page not found" } }],
  [
    "a 405 for another method",
    {
      ...USERS,
      method: "POST",
      status: 405,
      headers: { allow: "GET" },
      body: { error: "405 method not allowed" },
    },
  ],
  ["an upstream's own status", { path: "/v1/embeddings", status: 418, body: { detail: "tea" } }],
  [
    "an empty body where none is described",
    { method: "GET", path: "/docs", status: 304, type: "", headers: { etag: '"x"' }, body: "" },
  ],
])("%s is not a fault", (_name, given) => {
  expect(faultsOf(given)).toEqual([]);
});

test.each<[string, Given, RegExp]>([
  ["a status that is not described", { status: 418, body: { error: "tea" } }, /status is not one of/],
  [
    "a status of another route",
    { ...USERS, status: 502, body: { error: "The agent could not answer" } },
    /status/,
  ],
  ["an undescribed field", { body: { ...ANSWER, colour: "red" } }, /additional properties.*colour/],
  [
    "an undescribed field deep in the body",
    { ...USERS, body: { users: [{ user_id: "u", token: "t", age: 7 }] } },
    /users\/0.*age/,
  ],
  ["a missing field", { body: WITHOUT_ERROR }, /required property 'error'/],
  ["a field of another type", { body: { ...ANSWER, content: 7 } }, /body\/content.*string/],
  ["a body that is not JSON", { body: "Hello" }, /not JSON/],
  ["an empty body", { body: "" }, /not JSON/],
  ["another media type", { type: "text/plain" }, /text\/plain is not one of/],
  ["a missing media type", { type: "" }, /\(none\) is not one of/],
  [
    "a body where none is described",
    { method: "GET", path: "/docs", status: 304, type: "", headers: { etag: '"x"' } },
    /not one of/,
  ],
  ["an undescribed header", { headers: { "x-colour": "red" } }, /x-colour is not described/],
  [
    "a header with text instead of a number",
    { status: 503, headers: { "retry-after": "soon" }, body: { error: "No available clients" } },
    /whole number/,
  ],
  ["an error that the route does not list", { status: 404, body: { error: "No such user" } }, /not listed/],
  [
    "an undescribed field of an error",
    { status: 404, body: { error: "Conversation doesn't exists", why: 1 } },
    /why/,
  ],
  ["a success with an unknown method", { method: "PUT" }, /no such operation/],
  ["a success of an unknown path", { path: "/nothing" }, /no such operation/],
  [
    "a 405 without Allow",
    { ...USERS, method: "POST", status: 405, body: { error: "405 method not allowed" } },
    /allow is missing/,
  ],
])("%s is a fault", (_name, given, fault) => {
  expect(faultsOf(given).join("\n")).toMatch(fault);
});

test("a response without its request id is a fault", () => {
  const answer = { method: "GET", url: "http://127.0.0.1/health", status: 200, text: "OK" };
  expect(check({ ...answer, headers: new Headers({ "content-type": "text/plain" }) })).toEqual([
    "the header x-request-id is missing",
  ]);
});

describe("responses to fetch in the tests", () => {
  test("a fetched response is checked, and its body can still be read", async () => {
    using server = Bun.serve({ port: 0, fetch: () => Response.json({ users: "none" }) });
    const url = `http://127.0.0.1:${server.port}/admin/users`;
    await fetch(url);
    expect(takeFaults()).toEqual([]);
    const end = expectDescribed(url);
    expect(await (await fetch(url)).json()).toEqual({ users: "none" });
    expect(takeFaults().join("\n")).toMatch(/GET .*users 200: the body\/users: must be array/);
    end();
    await fetch(url);
    expect(takeFaults()).toEqual([]);
  });

  test("the responses of the test server are checked", async () => {
    const { url } = await startTestServer();
    const headers = new Headers({ "x-request-id": "r" });
    checkDescribed({ method: "GET", url: `${url}/health`, status: 299, headers, text: "" });
    expect(takeFaults().join("\n")).toContain("the status is not one of");
  });

  test("a faulty response fails the test that fetched it, and no other", async () => {
    const folder = tempFolder();
    const described = join(import.meta.dir, "../../support/description/described.ts");
    const file = join(folder, "one.test.ts");
    await Bun.write(
      file,
      `import { test } from "bun:test";
       import { expectDescribed } from ${JSON.stringify(described)};
       const server = Bun.serve({ port: 0, fetch: () => new Response("OK", { status: 299 }) });
       expectDescribed(String(server.url));
       test("before", () => {});
       test("fetches", async () => void (await fetch(server.url + "health").catch(() => {})));
       test("after", () => {});`,
    );
    const run = Bun.spawn([process.execPath, "test", "--timeout", "120000", "--preload", described, file], {
      cwd: folder,
      env: { ...process.env, NO_COLOR: "1" },
      stdout: "pipe",
      stderr: "pipe",
    });
    const output = await run.stderr.text();
    expect(await run.exited).toBe(1);
    expect(output).toMatch(/\(pass\) before[\s\S]*\(fail\) fetches[\s\S]*\(pass\) after/);
    expect(output).toContain("not as GET /openapi.json says");
  });
});
