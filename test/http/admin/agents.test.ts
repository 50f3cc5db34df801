import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { DAY_MS } from "../../../src/durations.ts";
import { firefoxAgent, pythonAgent } from "../../support/agents.ts";
import { ADMIN_KEY, startTestServer } from "../../support/server.ts";
import { openTestFile } from "../../support/store.ts";
import { until } from "../../support/until.ts";
import { connectV2Agent, V2_HELLO } from "../../support/v2-agent.ts";

const HEADERS = { authorization: ADMIN_KEY };
const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/);

async function scene(flags: string[] = []) {
  const server = await startTestServer(flags);
  const call = async (method: string, path: string, body?: unknown, headers: object = HEADERS) => {
    const init = {
      method,
      headers: { ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    };
    const response = await fetch(`${server.url}${path}`, init);
    const text = await response.text();
    // biome-ignore lint/suspicious/noExplicitAny: the tests look at what a response contains.
    return { status: response.status, headers: response.headers, text, body: parse(text) as any };
  };
  return { server, call, audit: async (query = "") => (await call("GET", `/admin/audit${query}`)).body };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

describe("GET /admin/agents", () => {
  test("GET /admin/agents lists who each connected agent is, what it offers, and what it does", async () => {
    const { server, call } = await scene(["--agents", "local"]);
    const v2 = await connectV2Agent(server.url, {
      hello: {
        ...{ ...V2_HELLO, name: "gpu box", priority: -5, weight: 0.5, tags: ["home"] },
        models: [{ id: "a", loaded: true }, { id: "b", loaded: false }, { id: "c" }],
      },
    });
    const v1 = await pythonAgent(server.url, { key: null });
    const asked = fetch(`${server.url}/v1/chat/completions`, {
      method: "POST",
      headers: HEADERS,
      body: JSON.stringify({ model: "a", messages: [{ role: "user", content: "hi" }] }),
    });
    const { ask } = await v2.next("ask");
    const nothing = { failing_since: null, last_error: null, first_byte_ms: null, is_slow: false };
    const recent = { requests: 0, failed: 0, ...nothing };
    const state = { transport: "websocket", paused: false, draining: false, circuits: [], recent };
    const common = { address: "127.0.0.1", ...state, since: TIME, last_heard: TIME };
    expect((await call("GET", "/admin/agents")).body).toEqual({
      agents: [
        {
          ...{ id: v2.ready.agent, name: "gpu box", protocol: "v2", key: "main", models: ["a", "b", "c"] },
          ...{ loaded_models: ["a"], priority: -5, weight: 0.5, tags: ["home"] },
          ...{ version: "1", slots: 8, in_use: 1, ...common, no_work_because: null },
          ...{ newer_version: null, can_update: false },
        },
        {
          ...{ id: v1.id, name: "v1 agent", protocol: "v1", key: null, models: ["chatgpt"] },
          ...{ loaded_models: null, priority: 0, weight: 1, tags: [] },
          ...{ version: null, slots: 1, in_use: 0, ...common },
          no_work_because: "There were no recent requests for its models.",
          ...{ newer_version: null, can_update: false },
        },
      ],
    });
    v2.say({ type: "done", ask, status: 200, body: "{}" });
    expect((await asked).status).toBe(200);
    v2.say({ type: "pause" });
    await until(async () => (await call("GET", "/admin/agents")).body.agents[0].paused);
  });
});

describe("POST /admin/agents/{id}/disconnect", () => {
  test("disconnecting an agent closes its socket for good, with a drain only when its request is done", async () => {
    const { server, call, audit } = await scene();
    const idle = await connectV2Agent(server.url);
    const path = (id: string) => `/admin/agents/${id}/disconnect`;
    expect((await call("POST", path(idle.ready.agent))).body).toEqual({
      id: idle.ready.agent,
      state: "closed",
    });
    expect(await idle.ended).toEqual({ code: 4504, reason: "disconnected by the administrator" });

    const busy = await firefoxAgent(server.url, {
      answer: () => new Promise((resolve) => answers.push(resolve)),
    });
    const answers: ((outcome: object) => void)[] = [];
    const asked = fetch(`${server.url}/api/ask`, {
      method: "POST",
      headers: HEADERS,
      body: '{"content":"hi"}',
    });
    await busy.nextRequest();
    const { body } = await call("POST", path(busy.id), { drain: true });
    expect(body).toEqual({ id: busy.id, state: "draining" });
    expect((await call("GET", "/admin/agents")).body.agents).toMatchObject([{ id: busy.id, draining: true }]);
    answers[0]?.({});
    expect((await asked).status).toBe(200);
    expect((await busy.ended).code).toBe(4504);
    expect((await audit()).audit).toMatchObject([
      { action: "agent.disconnect", target: busy.id, detail: { name: "v1 agent", drain: true } },
      { action: "agent.disconnect", target: idle.ready.agent, detail: { name: "test agent", drain: false } },
    ]);
  });

  test("disconnecting an unknown agent is a 404 and leaves no row in the audit", async () => {
    const { call, audit } = await scene();
    expect((await call("POST", "/admin/agents/nobody/disconnect", {})).status).toBe(404);
    expect((await call("POST", "/admin/agents/nobody/disconnect", { drain: "yes" })).status).toBe(400);
    expect(await audit()).toEqual({ audit: [], next: null });
  });
});

describe("POST /admin/agents/{id}/reset", () => {
  test("an agent that failed is listed with the reason, and a reset lets it have requests again", async () => {
    const { server, call, audit } = await scene();
    const fail = { type: "fail", status: 503, error: { message: "secret" }, retryable: true } as const;
    const agent = await connectV2Agent(server.url, {
      onAsk: ({ ask }, self) => self.say({ ...fail, ask, retry_after_ms: 60_000 }),
    });
    const { agent: id } = agent.ready;
    const ask = () => call("POST", "/v1/chat/completions", { model: "m", messages: [] });
    expect((await ask()).status).toBe(503);
    const [listed] = (await call("GET", "/admin/agents")).body.agents;
    const reason = "the upstream responded with status 503";
    expect(listed).toMatchObject({
      circuits: [{ model: "m", state: "open", failures: 1, reason, failed_at: TIME, retry_at: TIME }],
      no_work_because: expect.stringMatching(
        new RegExp(`^The agent gets no requests for \\d+ s, because .*${reason}`),
      ),
    });
    const { status, headers, body } = await ask();
    expect([status, Number(headers.get("retry-after")) > 30]).toEqual([503, true]);
    expect(body.error.message).toContain("are asked again in");
    expect((await call("POST", `/admin/agents/${id}/reset`, { model: "another" })).body.models).toEqual([]);
    expect((await call("POST", `/admin/agents/${id}/reset`)).body).toEqual({ id, models: ["m"] });
    expect((await call("GET", "/admin/agents")).body.agents[0].circuits).toEqual([]);
    expect((await call("POST", "/admin/agents/nobody/reset")).status).toBe(404);
    expect((await audit()).audit).toMatchObject([
      { action: "agent.reset", target: id, detail: { name: "test agent" } },
      { action: "agent.reset", target: id, detail: { name: "test agent", model: "another" } },
    ]);
  });
});

describe("GET /admin/audit", () => {
  test("the audit has every change over HTTP, with who, when and from where, and no refused one", async () => {
    const { server, call, audit } = await scene();
    const { user_id, token } = (await call("POST", "/admin/users/add", {})).body;
    await call("POST", "/admin/users/delete", { user_id });
    const key = (await call("POST", "/admin/agents/keys", { name: "gpu" })).body;
    const { headers } = await call("DELETE", `/admin/agents/keys/${key.id}`);
    await call("POST", "/admin/users/add", { admin_key: "wrong" }, {});
    await call("POST", "/admin/agents/keys", {});
    await call("GET", "/admin/users");
    const { audit: rows } = await audit();
    const common = {
      at: TIME,
      actor: "admin",
      address: "127.0.0.1",
      request_id: expect.stringMatching(/^req_/),
    };
    expect(rows).toEqual([
      { seq: 4, action: "agent_key.revoke", target: key.id, detail: { name: "gpu" }, ...common },
      { seq: 3, action: "agent_key.add", target: key.id, detail: { name: "gpu", models: null }, ...common },
      { seq: 2, action: "user.delete", target: user_id, detail: null, ...common },
      { seq: 1, action: "user.add", target: user_id, detail: expect.anything(), ...common },
    ]);
    expect(rows[0].request_id).toBe(headers.get("x-request-id"));
    for (const secret of [token, key.key, ADMIN_KEY, server.agentKey])
      expect(JSON.stringify(rows)).not.toContain(secret);
  });

  test("the pages of the audit do not shift when rows are added", async () => {
    const { call, audit } = await scene();
    for (let n = 0; n < 5; n++) await call("POST", "/admin/users/add", {});
    const first = await audit("?limit=2");
    expect(first.audit.map(({ seq }: { seq: number }) => seq)).toEqual([5, 4]);
    await call("POST", "/admin/users/add", {});
    const second = await audit(`?limit=2&before=${first.next}`);
    expect(second.audit.map(({ seq }: { seq: number }) => seq)).toEqual([3, 2]);
    const last = await audit(`?limit=2&before=${second.next}`);
    expect([last.audit.length, last.next]).toEqual([1, null]);
  });

  test("the audit is also a table for spreadsheets, in which no text is a formula", async () => {
    const { call } = await scene();
    await call("POST", "/admin/agents/keys", { name: '=1+1,"x"' });
    const { text, headers } = await call("GET", "/admin/audit?format=csv");
    expect(headers.get("content-type")).toBe("text/csv; charset=utf-8; header=present");
    const [columns, row, ...rest] = text.split("\r\n");
    expect(columns).toBe("seq,at,actor,action,target,detail,address,request_id");
    expect(row).toContain('"{""name"":""=1+1,\\""x\\"""",""models"":null}"');
    expect(rest).toEqual([""]);
  });

  test("the audit is searched by actor, action and words, also as a table", async () => {
    const { call, audit } = await scene();
    const { user_id } = (await call("POST", "/admin/users/add", { name: "Zoë" })).body;
    await call("POST", "/admin/agents/keys", { name: "gpu" });
    await call("POST", "/admin/users/delete", { user_id });
    const actions = async (query: string) =>
      (await audit(query)).audit.map((row: { action: string }) => row.action);
    expect(await actions("?action=user")).toEqual(["user.delete", "user.add"]);
    expect(await actions("?action=agent_key.add&actor=admin")).toEqual(["agent_key.add"]);
    expect(await actions("?actor=cli")).toEqual([]);
    expect(await actions("?search=zoe")).toEqual(["user.delete", "user.add"]);
    expect(await actions(`?search=add%20${user_id}`)).toEqual(["user.add"]);
    const { text } = await call("GET", "/admin/audit?search=zoe&action=user.add&format=csv");
    expect(text.split("\r\n")).toHaveLength(3);
  });

  test.each([
    ...[
      "limit=0",
      "limit=1001",
      "limit=x",
      "before=-1",
      "format=xml",
      "actor=me",
      "action=User",
      "action=a.b.c",
    ],
    `search=${"x".repeat(201)}`,
  ])("the audit refuses the query %s", async (query) => {
    const { call } = await scene();
    const { status, body } = await call("GET", `/admin/audit?${query}`);
    expect([status, body.error]).toEqual([400, "Invalid request"]);
    expect(body.hint).toStartWith(`\`${query.split("=")[0]}\``);
  });

  test("the audit keeps rows for --audit-days", async () => {
    const { server } = await scene();
    await server.stop();
    const store = openTestFile(join(server.data, "server.db"));
    const note = { actor: "cli" as const, action: "a", detail: null, address: null, requestId: null };
    await store.audit.add({ ...note, target: "old", at: Date.now() - 3.01 * DAY_MS });
    await store.audit.add({ ...note, target: "young", at: Date.now() - 2.99 * DAY_MS });
    await store.close();
    const again = await startTestServer(["--audit-days", "3"], { data: server.data });
    await until(() => again.logged().includes("audit_purged"));
    const response = await fetch(`${again.url}/admin/audit`, { headers: HEADERS });
    expect((await response.json()) as object).toMatchObject({ audit: [{ target: "young" }] });
  });

  test("a change whose row cannot be written is refused and not made", async () => {
    const { server, call } = await scene();
    const store = openTestFile(join(server.data, "server.db"));
    await call("POST", "/admin/users/add", {});
    const database = new Database(join(server.data, "server.db"));
    database.run("CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'no room'); END");
    database.close();
    const { status, body } = await call("POST", "/admin/users/add", {});
    expect([status, body.error]).toEqual([500, "The change could not be recorded, so it was not made"]);
    expect(await store.users.list()).toHaveLength(1);
    expect(server.logged()).toContain('"error":"audit_failed"');
  });
});

test.each([
  ["GET", "/admin/agents"],
  ["GET", "/admin/agents/keys"],
  ["POST", "/admin/agents/keys"],
  ["PATCH", "/admin/agents/keys/x"],
  ["DELETE", "/admin/agents/keys/x"],
  ["POST", "/admin/agents/x/disconnect"],
  ["GET", "/admin/audit"],
])("%s %s is only for the administrator", async (method, path) => {
  const { server, call } = await scene();
  const { token } = (await call("POST", "/admin/users/add", {})).body;
  for (const authorization of [token, server.agentKey, "wrong"]) {
    const { status, body } = await call(method, path, method === "GET" ? undefined : {}, { authorization });
    expect([status, body]).toEqual([401, { error: "Invalid admin key" }]);
  }
  expect((await call(method, path, method === "GET" ? undefined : {}, {})).status).toBe(401);
});
