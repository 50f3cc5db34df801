import { describe, expect, test } from "bun:test";
import { firefoxAgent } from "../support/agents.ts";
import { ADMIN_KEY, startTestServer } from "../support/server.ts";

interface Row {
  name: string;
  method?: string;
  path: string;
  headers?: Record<string, string>;
  body?: string;
  status: number;
  /** Compared field by field, without `hint`. */
  expected?: unknown;
}

const KEY = { authorization: ADMIN_KEY };
const AGENT_KEY = "agent-key-of-the-tests";
const WRONG_ADMIN = { error: "Invalid admin key" };

const ROWS: Row[] = [
  { name: "a health check", path: "/health", status: 200 },
  {
    name: "an unknown path",
    path: "/nowhere",
    status: 404,
    expected: { error: "404 page not found" },
  },
  {
    name: "a path with a slash at its end",
    path: "/health/",
    status: 404,
    expected: { error: "404 page not found" },
  },
  {
    name: "a path in upper case",
    path: "/Health",
    status: 404,
    expected: { error: "404 page not found" },
  },
  {
    name: "a wrong method",
    path: "/api/ask",
    status: 405,
    expected: { error: "405 method not allowed" },
  },
  {
    name: "a registration without an upgrade",
    path: `/agents/${AGENT_KEY}/client/register`,
    status: 400,
    expected: { error: "Bad Request" },
  },
  {
    name: "an ask without a key, whatever its body,",
    method: "POST",
    path: "/api/ask",
    body: "not JSON",
    status: 401,
    expected: { error: "API key not provided" },
  },
  {
    name: "an ask with an empty key",
    method: "POST",
    path: "/api/ask",
    headers: { authorization: "" },
    body: "{}",
    status: 401,
    expected: { error: "Invalid API key" },
  },
  {
    name: "an ask with two wrong keys",
    method: "POST",
    path: "/api/ask",
    headers: { authorization: "one", "x-api-key": "another" },
    body: '{"content":"x"}',
    status: 401,
    expected: { error: "Invalid API key" },
  },
  ...[
    "",
    "{",
    "[]",
    "null",
    '"text"',
    "{}",
    '{"content":""}',
    '{"content":1}',
    '{"content":"x","parent_id":{}}',
  ].map((body) => ({
    name: `an ask with the body ${body || "(empty)"}`,
    method: "POST",
    path: "/api/ask",
    headers: KEY,
    body,
    status: 400,
    expected: { error: "Invalid request" },
  })),
  {
    name: "an ask without an agent",
    method: "POST",
    path: "/api/ask",
    headers: { authorization: `Bearer ${ADMIN_KEY}` },
    body: '{"content":"x"}',
    status: 503,
    expected: { error: "No available clients" },
  },
  {
    name: "an ask for an unknown conversation",
    method: "POST",
    path: "/api/ask",
    headers: { "x-api-key": ADMIN_KEY },
    body: '{"content":"x","conversation_id":"unknown"}',
    status: 404,
    expected: { error: "Conversation doesn't exists" },
  },
  { name: "a list of connections without a key", path: "/api/connections", status: 401 },
  {
    name: "a list of no connections",
    path: "/api/connections",
    headers: KEY,
    status: 200,
    expected: { connections: [] },
  },
  {
    name: "a list of no users",
    path: `/admin/users?admin_key=${ADMIN_KEY}`,
    status: 200,
    expected: { users: [] },
  },
  {
    name: "a list of users with a wrong key",
    path: "/admin/users?admin_key=guess",
    status: 401,
    expected: WRONG_ADMIN,
  },
  {
    name: "a list of users with an empty key",
    path: "/admin/users?admin_key=",
    status: 401,
    expected: WRONG_ADMIN,
  },
  { name: "a list of users without a key", path: "/admin/users", status: 401, expected: WRONG_ADMIN },
  ...["/admin/users/add", "/admin/users/delete"].flatMap((path) => [
    { name: `${path} without a key`, method: "POST", path, body: "{}", status: 401, expected: WRONG_ADMIN },
    {
      name: `${path} with a wrong key, whatever the other fields,`,
      method: "POST",
      path,
      body: '{"admin_key":"guess","user_id":7}',
      status: 401,
      expected: WRONG_ADMIN,
    },
    {
      name: `${path} with a right key in the body and a wrong one in the header`,
      method: "POST",
      path,
      headers: { authorization: "guess" },
      body: `{"admin_key":"${ADMIN_KEY}"}`,
      status: 401,
      expected: WRONG_ADMIN,
    },
    ...["", "{", "[]", '{"admin_key":7}'].map((body) => ({
      name: `${path} with the body ${body || "(empty)"}`,
      method: "POST",
      path,
      body,
      status: 400,
      expected: { error: "Invalid request body" },
    })),
  ]),
  {
    name: "the deletion of a user_id that is not text",
    method: "POST",
    path: "/admin/users/delete",
    body: `{"admin_key":"${ADMIN_KEY}","user_id":7}`,
    status: 400,
    expected: { error: "Invalid request body" },
  },
  ...[`,"user_id":"unknown"`, `,"user_id":""`, `,"user_id":null`, ""].map((rest) => ({
    name: `the deletion of no user (${rest || "no user_id"})`,
    method: "POST",
    path: "/admin/users/delete",
    body: `{"admin_key":"${ADMIN_KEY}"${rest}}`,
    status: 200,
    expected: { message: "User deleted" },
  })),
];

describe("the shape of the Go server's answers", async () => {
  test.each(ROWS)(
    "$name is answered as on the Go server",
    async ({ method = "GET", path, headers = {}, body, status, expected }) => {
      const server = await startTestServer(["--agent-key", AGENT_KEY]);
      const response = await fetch(server.url + path, {
        method,
        headers,
        ...(body !== undefined && { body }),
      });
      expect(response.status).toBe(status);
      expect(response.headers.get("access-control-allow-origin")).toBe("*");
      expect(response.headers.get("x-request-id")).toMatch(/^req_/);
      const text = await response.text();
      expect(text).not.toContain(ADMIN_KEY);
      if (expected !== undefined) {
        expect(response.headers.get("content-type")).toBe("application/json; charset=utf-8");
        const { hint: _, ...rest } = JSON.parse(text);
        expect(rest).toEqual(expected);
      }
      expect(server.logged()).not.toContain(ADMIN_KEY);
    },
  );
});

test("a user's token sends requests, does not administer, and is refused once the user is deleted", async () => {
  const server = await startTestServer();
  const agent = await firefoxAgent(server.url);
  const post = (path: string, body: object, headers = {}) =>
    fetch(server.url + path, { method: "POST", body: JSON.stringify(body), headers });
  const added = await (await post("/admin/users/add", { admin_key: ADMIN_KEY, user_id: "ignored" })).text();
  const { token, user_id } = JSON.parse(added);
  expect(Object.keys(JSON.parse(added))).toEqual(["token", "user_id"]);
  expect(user_id).not.toBe("ignored");
  const ask = () => post("/api/ask", { content: "hi" }, { authorization: token });

  expect((await ask()).status).toBe(200);
  expect((await post("/admin/users/add", {}, { authorization: token })).status).toBe(401);
  expect((await post("/admin/users/add", { admin_key: token })).status).toBe(401);
  const list = await (await fetch(`${server.url}/admin/users`, { headers: KEY })).text();
  expect(list).toBe(JSON.stringify({ users: [{ user_id, token }] }));
  expect((await post("/admin/users/delete", { user_id }, KEY)).status).toBe(200);
  expect((await ask()).status).toBe(401);
  expect(server.logged()).not.toContain(token);
  await agent.stop();
});

test("HEAD is answered like GET, without a body", async () => {
  const server = await startTestServer();
  for (const path of ["/health", "/admin/users", "/api/connections", "/nowhere"]) {
    const [get, head] = await Promise.all([
      fetch(server.url + path),
      fetch(server.url + path, { method: "HEAD" }),
    ]);
    expect(head.status, path).toBe(get.status);
    expect(await head.text()).toBe("");
  }
});

test("a path that is declared in full is not a user's id, and a model's name may have slashes", async () => {
  const { url } = await startTestServer();
  for (const [method, path, allow] of [
    ["GET", "/admin/users/add", "POST, OPTIONS"],
    ["PATCH", "/admin/users/add", "POST, OPTIONS"],
    ["DELETE", "/admin/users/delete", "POST, OPTIONS"],
    ["POST", "/admin/users", "GET, HEAD, OPTIONS"],
    ["POST", "/v1/models/a/b", "GET, HEAD, OPTIONS"],
  ] as const) {
    const { status, headers } = await fetch(url + path, { method, headers: KEY });
    expect([method, path, status, headers.get("allow")]).toEqual([method, path, 405, allow]);
  }
});

test("a preflight allows what it asks for, and every 405 lists the accepted methods", async () => {
  const server = await startTestServer();
  const preflight = await fetch(`${server.url}/api/ask`, {
    method: "OPTIONS",
    headers: {
      origin: "https://page.example",
      "access-control-request-method": "POST",
      "access-control-request-headers": "authorization,content-type,x-extra",
    },
  });
  expect(preflight.status).toBe(204);
  expect(preflight.headers.get("access-control-allow-origin")).toBe("*");
  expect(preflight.headers.get("access-control-allow-methods")).toContain("POST");
  expect(preflight.headers.get("access-control-allow-headers")).toBe("authorization,content-type,x-extra");
  const wrong = await fetch(`${server.url}/health`, { method: "DELETE" });
  expect([wrong.status, wrong.headers.get("allow")]).toEqual([405, "GET, HEAD, OPTIONS"]);
  const keyed = await fetch(`${server.url}/agents/k/client/register`, { method: "POST" });
  expect(keyed.status).toBe(405);
});
