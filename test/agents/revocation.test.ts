import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { createAgentKeys, type NewAgentKey } from "../../src/auth/agent-keys.ts";
import { createSecret } from "../../src/auth/secret.ts";
import { CLOSE } from "../../src/protocol/close.ts";
import { firefoxAgent } from "../support/agents.ts";
import { ADMIN_KEY, startTestServer, type TestServer } from "../support/server.ts";
import { openTestFile } from "../support/store.ts";
import { connectV2Agent, V2_HELLO, type V2AgentOptions } from "../support/v2-agent.ts";

const REVOKED = { code: CLOSE.key_revoked.code, reason: CLOSE.key_revoked.reason };
const HEADERS = { authorization: ADMIN_KEY };

interface ListedAgent {
  id: string;
  key: string | null;
  models: string[];
  slots: number;
}

interface ListedKey {
  id: string;
  name: string;
  models: string[] | null;
  created_at: string;
  revoked_at: string | null;
}

function admin(server: TestServer) {
  const call = async <Body = unknown>(method: string, path: string, body?: object) => {
    const init = { method, headers: HEADERS, ...(body && { body: JSON.stringify(body) }) };
    const response = await fetch(`${server.url}${path}`, init);
    return { status: response.status, body: (await response.json()) as Body };
  };
  return {
    call,
    addKey: async (name: string, models?: string[]) =>
      (await call<NewAgentKey>("POST", "/admin/agents/keys", { name, models })).body,
    keys: async () => (await call<{ keys: ListedKey[] }>("GET", "/admin/agents/keys")).body.keys,
    revoke: (id: string) => call("DELETE", `/admin/agents/keys/${id}`),
    agents: async () => (await call<{ agents: ListedAgent[] }>("GET", "/admin/agents")).body.agents,
    models: async () =>
      (await call<{ data: { id: string }[] }>("GET", "/v1/models")).body.data.map(({ id }) => id),
  };
}

async function startWithKey(models?: string[]) {
  const server = await startTestServer();
  const { addKey, ...rest } = admin(server);
  const key = await addKey("gpu box", models);
  const connect = (options: V2AgentOptions = {}) => connectV2Agent(server.url, { key: key.key, ...options });
  return { server, key, addKey, connect, ...rest };
}

const chat = (server: TestServer, model: string, signal?: AbortSignal) =>
  fetch(`${server.url}/v1/chat/completions`, {
    method: "POST",
    headers: HEADERS,
    body: JSON.stringify({ model, messages: [{ role: "user", content: "hi" }] }),
    ...(signal && { signal }),
  });

const ANSWER = { status: 200, body: '{"object":"chat.completion","choices":[]}' };

describe("a key of an agent's own", () => {
  test("lets it in by the header and in the path, from wherever, under the key's name in list and log", async () => {
    const { server, key, connect, agents } = await startWithKey();
    // As from another machine: a request through a proxy needs a key.
    const headers = { "x-forwarded-for": "192.0.2.7" };
    const { ready } = await connect({ headers });
    const v1 = await firefoxAgent(`${server.url}/agents/${key.key}`, { headers });
    expect((await agents()).map(({ id, key }) => [id, key])).toEqual([
      [ready.agent, "gpu box"],
      [v1.id, "gpu box"],
    ]);
    const joined = server.logged().match(/"event":"agent_joined".*/g) ?? [];
    expect(joined).toHaveLength(2);
    for (const line of joined) expect(line).toContain('"key":"gpu box"');
    expect(server.logged()).not.toContain(key.key);
  });

  test("is shown once; the data folder has its hash only", async () => {
    const { server, key, keys } = await startWithKey(["m"]);
    expect(key.key).toMatch(/^agent-[\w-]{43}$/);
    expect(await keys()).toEqual([
      { id: key.id, name: "gpu box", models: ["m"], created_at: expect.any(String), revoked_at: null },
    ]);
    await server.stop();
    const bytes = Buffer.from(await Bun.file(join(server.data, "server.db")).arrayBuffer());
    expect(bytes.includes(key.key)).toBe(false);
    expect(bytes.includes(Bun.SHA256.hash(key.key, "hex"))).toBe(true);
  });

  test("of a name that is in use is refused, until that one is revoked; the main key's name always", async () => {
    const { key, call, revoke } = await startWithKey();
    const add = (name: string) => call("POST", "/admin/agents/keys", { name });
    expect((await add("gpu box")).status).toBe(409);
    expect((await add("main")).status).toBe(409);
    expect((await revoke(key.id)).status).toBe(200);
    expect((await add("gpu box")).status).toBe(200);
    expect((await revoke(key.id)).status).toBe(404);
    expect((await revoke("nobody's")).status).toBe(404);
  });

  test.each([{}, { name: "" }, { name: "a\u001b[2J" }, { name: "a", models: [] }, { name: 1 }])(
    "is refused for a body like %j",
    async (body) => {
      const { call, keys } = await startWithKey();
      expect((await call("POST", "/admin/agents/keys", body)).status).toBe(400);
      expect(await keys()).toHaveLength(1);
    },
  );

  test("opens nothing but registration", async () => {
    const { server, key } = await startWithKey();
    for (const path of ["/api/connections", "/v1/models", "/admin/agents", "/admin/audit"]) {
      const response = await fetch(`${server.url}${path}`, { headers: { authorization: key.key } });
      expect([path, response.status]).toEqual([path, 401]);
    }
  });
});

describe("a key limited to models", () => {
  const models = [{ id: "m" }, { id: "secret" }, { id: "other" }];

  test("leaves out what else its agent says that it has, at first and in updates", async () => {
    const { server, connect, agents, models: listed } = await startWithKey(["m", "late"]);
    const agent = await connect({ hello: { ...V2_HELLO, models } });
    expect(await listed()).toEqual(["m"]);
    expect((await chat(server, "secret")).status).toBe(404);
    agent.say({ type: "update", models: [{ id: "secret" }, { id: "late" }] });
    while (!(await listed()).includes("late")) await Bun.sleep(1);
    expect(await listed()).toEqual(["late"]);
    // An update of something else leaves the models as they are.
    agent.say({ type: "update", slots: 3 });
    while ((await agents())[0]?.slots !== 3) await Bun.sleep(1);
    expect(await listed()).toEqual(["late"]);
  });

  test("gives an agent of version 1 whose model it does not allow no work at all", async () => {
    const { server, key, addKey } = await startWithKey(["m"]);
    const shut = await firefoxAgent(`${server.url}/agents/${key.key}`);
    const ask = () =>
      fetch(`${server.url}/api/ask`, { method: "POST", headers: HEADERS, body: '{"content":"hi"}' });
    expect((await ask()).status).toBe(503);
    const { key: wide } = await addKey("web", ["chatgpt"]);
    const open = await firefoxAgent(`${server.url}/agents/${wide}`);
    expect((await ask()).status).toBe(200);
    expect([shut.requests.length, open.requests.length]).toEqual([0, 1]);
  });
});

describe("revoking a key", () => {
  test("closes the sockets that it let in, at once, and no other", async () => {
    const { server, key, revoke, connect, agents } = await startWithKey();
    const [first, second] = await Promise.all([connect(), connect()]);
    const v1 = await firefoxAgent(`${server.url}/agents/${key.key}`);
    const main = await connectV2Agent(server.url, { key: server.agentKey });
    const local = await connectV2Agent(server.url);
    await revoke(key.id);
    expect(await Promise.all([first.ended, second.ended, v1.ended])).toEqual([REVOKED, REVOKED, REVOKED]);
    expect((await agents()).map(({ id }) => id)).toEqual([main.ready.agent, local.ready.agent]);
    expect(server.logged()).toContain('"key":"gpu box","reason":"key_revoked"');
  });

  test("closes a socket that has not said hello yet", async () => {
    const { server, key, revoke } = await startWithKey();
    const url = `${server.url.replace(/^http/, "ws")}/agents/${key.key}/client/register`;
    const socket = new WebSocket(url, ["chatgpt-agent.v2"]);
    const ended = new Promise<number>((resolve) => {
      socket.onclose = ({ code }) => resolve(code);
    });
    await new Promise((resolve) => {
      socket.onopen = resolve;
    });
    await revoke(key.id);
    expect(await ended).toBe(REVOKED.code);
  });

  test("shuts its holder out, in path and header, also on this machine, where others need no key", async () => {
    const { server, key, revoke } = await startWithKey();
    await revoke(key.id);
    for (const [path, headers] of [
      ["/client/register", { authorization: `Bearer ${key.key}` }],
      [`/agents/${key.key}/client/register`, {}],
    ] as const) {
      const response = await fetch(server.url + path, { headers });
      expect(response.status).toBe(401);
      expect(await response.json()).toMatchObject({ error: "Invalid agent key" });
    }
    expect(server.logged()).toContain('"reason":"agent_key_wrong"');
  });

  test("moves an ask that was not begun to another agent, and fails one that was", async () => {
    const { server, key, revoke, connect, agents } = await startWithKey();
    const held = await connect();
    const untouched = chat(server, "m");
    await held.next("ask");
    const begun = chat(server, "m");
    held.say({ type: "accept", ask: (await held.next("ask")).ask });
    // Its socket is read in order: once the pong of a later frame shows, the accept has been seen.
    held.say({ type: "update", slots: 7 });
    while ((await agents())[0]?.slots !== 7) await Bun.sleep(1);
    const other = await connectV2Agent(server.url, {
      onAsk: ({ ask }, agent) => agent.say({ type: "done", ask, ...ANSWER }),
    });
    await revoke(key.id);
    expect((await untouched).status).toBe(200);
    expect((await begun).status).toBe(502);
    expect(other.frames.filter(({ type }) => type === "ask")).toHaveLength(1);
  });

  test("in another process counts within two seconds, and the watch for it leaves no timer", async () => {
    const { server, key, connect } = await startWithKey();
    const agent = await connect();
    const store = openTestFile(join(server.data, "server.db"));
    const keys = createAgentKeys({ main: createSecret("main"), store: store.agentKeys });
    const revokedAt = performance.now();
    expect(await keys.revoke(key.id)).toBe(true);
    expect(await agent.ended).toEqual(REVOKED);
    expect(performance.now() - revokedAt).toBeLessThan(2_000);
    await server.stop();
    expect(server.logged()).toMatch(/"event":"stopped".*"timers":0/);
  });
});

describe("the identity of an agent with a key of its own", () => {
  const resumeOf = ({ agent, resume }: { agent: string; resume: string }) => ({ ...V2_HELLO, agent, resume });

  test("comes back behind the same key", async () => {
    const { connect } = await startWithKey();
    const { ready } = await connect();
    expect((await connect({ hello: resumeOf(ready) })).ready).toMatchObject({
      agent: ready.agent,
      resume: ready.resume,
    });
  });

  test("is not to be had by its secret behind another key, the main one, or none", async () => {
    const { server, connect, addKey } = await startWithKey();
    const { ready } = await connect();
    const hello = resumeOf(ready);
    const { key: other } = await addKey("other");
    for (const key of [other, server.agentKey, undefined]) {
      const options = key === undefined ? { hello } : { hello, key };
      expect((await connectV2Agent(server.url, options)).ready.agent).not.toBe(ready.agent);
    }
  });

  test("dies with the key: the secret takes it back neither with a new key of that name nor from this machine", async () => {
    const { server, key, connect, addKey, revoke } = await startWithKey();
    const { ready } = await connect();
    await revoke(key.id);
    const { key: renewed } = await addKey("gpu box");
    for (const options of [{ key: renewed }, { key: server.agentKey }, {}]) {
      const agent = await connectV2Agent(server.url, { ...options, hello: resumeOf(ready) });
      expect(agent.ready.agent).not.toBe(ready.agent);
    }
    await expect(connect({ hello: resumeOf(ready) })).rejects.toThrow("refused");
  });

  test("of version 1 passes, while it is in use, to the same key and the main one, and to no other", async () => {
    const { server, key, addKey } = await startWithKey();
    const { key: other } = await addKey("other");
    const first = await firefoxAgent(`${server.url}/agents/${key.key}`);
    const takeOver = (path: string) => firefoxAgent(server.url + path, { id: first.id });
    await expect(takeOver(`/agents/${other}`)).rejects.toThrow("4502");
    await expect(takeOver("")).rejects.toThrow("4502");
    const second = await takeOver(`/agents/${key.key}`);
    expect((await first.ended).code).toBe(4500);
    await takeOver(`/agents/${server.agentKey}`);
    expect((await second.ended).code).toBe(4500);
  });
});
