import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { firefoxAgent, pythonAgent } from "../support/agents.ts";
import { until } from "../support/until.ts";
import { connectV2Agent, V2_HELLO } from "../support/v2-agent.ts";
import { chat, HEADERS, startWithKey } from "./keyed-server.ts";

describe("an agent key of its own", () => {
  test("an agent key admits by header and by path, from any address, and its name shows in the list and the log", async () => {
    const { server, key, connect, agents } = await startWithKey();
    // A request through a proxy needs a key, like one from another machine.
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

  test("an agent key is shown once, and the data folder has only its hash", async () => {
    const { server, key, keys } = await startWithKey(["m"]);
    expect(key.key).toMatch(/^agent-[\w-]{43}$/);
    expect(await keys()).toEqual([
      {
        ...{ id: key.id, name: "gpu box", models: ["m"], created_at: expect.any(String), revoked_at: null },
        ...{ priority: null, weight: null, tags: null, owner_id: null, shows_name: false },
      },
    ]);
    await server.stop();
    const bytes = Buffer.from(await Bun.file(join(server.data, "server.db")).arrayBuffer());
    expect(bytes.includes(key.key)).toBe(false);
    expect(bytes.includes(Bun.SHA256.hash(key.key, "hex"))).toBe(true);
  });

  test("an agent key needs a name that no key in use has, and not that of the main key", async () => {
    const { key, call, revoke } = await startWithKey();
    const add = (name: string) => call("POST", "/admin/agents/keys", { name });
    expect((await add("gpu box")).status).toBe(409);
    expect((await add("main")).status).toBe(409);
    expect((await revoke(key.id)).status).toBe(200);
    expect((await add("gpu box")).status).toBe(200);
    expect((await revoke(key.id)).status).toBe(404);
    expect((await revoke("unknown")).status).toBe(404);
  });

  test.each([{}, { name: "" }, { name: "a\u001b[2J" }, { name: "a", models: [] }, { name: 1 }])(
    "an agent key is not made from the body %j",
    async (body) => {
      const { call, keys } = await startWithKey();
      expect((await call("POST", "/admin/agents/keys", body)).status).toBe(400);
      expect(await keys()).toHaveLength(1);
    },
  );

  test("an agent key is accepted for registration only", async () => {
    const { server, key } = await startWithKey();
    for (const path of ["/api/connections", "/v1/models", "/admin/agents", "/admin/audit"]) {
      const response = await fetch(`${server.url}${path}`, { headers: { authorization: key.key } });
      expect([path, response.status]).toEqual([path, 401]);
    }
  });
});

describe("an agent key limited to models", () => {
  const models = [{ id: "m" }, { id: "secret" }, { id: "other" }];

  test("an agent offers only the models that its key allows, in its hello and in updates", async () => {
    const { server, connect, agents, models: listed } = await startWithKey(["m", "late"]);
    const agent = await connect({ hello: { ...V2_HELLO, models } });
    expect(await listed()).toEqual(["m"]);
    expect((await chat(server, "secret")).status).toBe(404);
    agent.say({ type: "update", models: [{ id: "secret" }, { id: "late" }] });
    await until(async () => (await listed()).includes("late"));
    expect(await listed()).toEqual(["late"]);
    // An update of another field leaves the models unchanged.
    agent.say({ type: "update", slots: 3 });
    await until(async () => (await agents())[0]?.slots === 3);
    expect(await listed()).toEqual(["late"]);
  });

  test("a v1 agent gets no work if its key does not allow the model of v1 agents", async () => {
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

describe("the identity of an agent with its own key", () => {
  const resumeOf = ({ agent, resume }: { agent: string; resume: string }) => ({ ...V2_HELLO, agent, resume });

  test("the resume secret takes an identity back with the same key", async () => {
    const { connect } = await startWithKey();
    const { ready } = await connect();
    expect((await connect({ hello: resumeOf(ready) })).ready).toMatchObject({
      agent: ready.agent,
      resume: ready.resume,
    });
  });

  test("the resume secret does not take an identity back with another key, the main key, or no key", async () => {
    const { server, connect, addKey } = await startWithKey();
    const { ready } = await connect();
    const hello = resumeOf(ready);
    const { key: other } = await addKey("other");
    for (const key of [other, server.agentKey, null])
      expect((await connectV2Agent(server.url, { hello, key })).ready.agent).not.toBe(ready.agent);
  });

  test("the resume secret of a revoked key is void, even with a new key of the same name", async () => {
    const { server, key, connect, addKey, revoke } = await startWithKey();
    const { ready } = await connect();
    await revoke(key.id);
    const { key: renewed } = await addKey("gpu box");
    for (const key of [renewed, server.agentKey, null]) {
      const agent = await connectV2Agent(server.url, { key, hello: resumeOf(ready) });
      expect(agent.ready.agent).not.toBe(ready.agent);
    }
    await expect(connect({ hello: resumeOf(ready) })).rejects.toThrow("refused");
  });

  test("a v1 id in use passes to a connection with the same key, and to none with another key, the main key or no key", async () => {
    const { server, key, addKey } = await startWithKey();
    const { key: other } = await addKey("other");
    const first = await firefoxAgent(`${server.url}/agents/${key.key}`);
    const takeOver = (path: string) => pythonAgent(server.url + path, { id: first.id, key: null });
    await expect(takeOver(`/agents/${other}`)).rejects.toThrow("4502");
    await expect(takeOver(`/agents/${server.agentKey}`)).rejects.toThrow("4502");
    await expect(takeOver("")).rejects.toThrow("4502");
    await takeOver(`/agents/${key.key}`);
    expect((await first.ended).code).toBe(4500);
  });
});
