import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { ADMIN_KEY, startTestServer } from "../../support/server.ts";
import { openTestFile } from "../../support/store.ts";
import { until } from "../../support/until.ts";
import { connectV2Agent, V2_HELLO } from "../../support/v2-agent.ts";

interface Listed {
  id: string;
}

const NO_PREFERENCE = { priority: null, weight: null, tags: null, owner_id: null, shows_name: false };

/** Starts a server with a user, and returns what the tests send it. */
async function scene() {
  const server = await startTestServer();
  const call = async (method: string, path: string, body?: object) => {
    const response = await fetch(`${server.url}/admin/${path}`, {
      method,
      headers: { authorization: ADMIN_KEY },
      ...(body && { body: JSON.stringify(body) }),
    });
    // biome-ignore lint/suspicious/noExplicitAny: the tests look at what a response contains.
    return { status: response.status, body: (await response.json()) as any };
  };
  const { user_id: owner_id } = (await call("POST", "users/add", { name: "Ann" })).body;
  const preference = { priority: -5, weight: 2.5, tags: ["home", "gpu"], owner_id, shows_name: true };
  return {
    ...{ server, call, owner_id, preference },
    add: async (fields: object = {}) =>
      (await call("POST", "agents/keys", { name: "gpu box", ...fields })).body as { id: string; key: string },
    list: async () => (await call("GET", "agents/keys")).body.keys,
    audit: async () => (await call("GET", "audit")).body.audit,
  };
}

describe("the preference of an agent key", () => {
  test("a key is created with a preference, or without one, and listed with it", async () => {
    const { add, list, audit, preference } = await scene();
    const added = await add({ models: ["m"], ...preference, tags: ["home", "gpu", "home"] });
    const { id, key } = added;
    expect(added).toEqual({ id, name: "gpu box", models: ["m"], ...preference, key } as typeof added);
    expect(await add({ name: "b", priority: null, tags: null, shows_name: null })).toMatchObject(
      NO_PREFERENCE,
    );
    expect(await list()).toMatchObject([preference, NO_PREFERENCE]);
    expect(await audit()).toMatchObject([
      { action: "agent_key.add", detail: { name: "b", models: null } },
      { action: "agent_key.add", target: id, detail: { name: "gpu box", models: ["m"], ...preference } },
      {},
    ]);
  });

  test("a change sets the given fields, clears those that are null, and is in the audit", async () => {
    const { call, add, list, audit, preference } = await scene();
    const { id } = await add({ models: ["m"], ...preference });
    const fields = { priority: 0, weight: null, owner_id: null };
    const { status, body } = await call("PATCH", `agents/keys/${id}`, fields);
    const changed = { id, name: "gpu box", models: ["m"], ...preference, ...fields, revoked_at: null };
    expect([status, body]).toEqual([200, { ...changed, created_at: expect.any(String) }]);
    expect(await list()).toEqual([body]);
    expect((await call("PATCH", `agents/keys/${id}`, { tags: null, shows_name: null })).body).toMatchObject({
      ...NO_PREFERENCE,
      priority: 0,
    });
    expect((await audit()).slice(0, 2)).toMatchObject([
      { action: "agent_key.change", target: id, detail: { name: "gpu box", tags: null, shows_name: false } },
      { action: "agent_key.change", target: id, detail: { name: "gpu box", ...fields } },
    ]);
  });

  test("a change of nothing returns the key, and is not in the audit", async () => {
    const { call, add, audit, preference } = await scene();
    const { id } = await add(preference);
    const { status, body } = await call("PATCH", `agents/keys/${id}`, {});
    expect([status, body]).toMatchObject([200, preference]);
    expect((await audit())[0].action).toBe("agent_key.add");
  });

  for (const [what, field] of [
    ["half a priority", { priority: 1.5 }],
    ["a priority that is too high", { priority: 1001 }],
    ["a text for a priority", { priority: "1" }],
    ["a weight of nothing", { weight: 0 }],
    ["a weight that is too great", { weight: 1001 }],
    ["no tag at all", { tags: [] }],
    ["a tag with a comma", { tags: ["home,gpu"] }],
    ["too many tags", { tags: Array.from({ length: 33 }, (_, index) => `t${index}`) }],
    ["an owner without an id", { owner_id: "" }],
    ["a text for shows_name", { shows_name: "yes" }],
  ] as const) {
    test(`creating or changing a key refuses ${what}, names the field, and changes nothing`, async () => {
      const { call, add, list, preference } = await scene();
      const [name = ""] = Object.keys(field);
      const { id } = await add(preference);
      for (const answer of [
        await call("POST", "agents/keys", { name: "another", ...field }),
        await call("PATCH", `agents/keys/${id}`, { priority: 9, ...field }),
      ]) {
        expect([answer.status, answer.body.error]).toEqual([400, "Invalid request body"]);
        expect(answer.body.hint).toContain(name);
      }
      expect(await list()).toMatchObject([preference]);
    });
  }

  test("a change of a key's name or of an unknown field is refused", async () => {
    const { call, add, list } = await scene();
    const { id } = await add();
    for (const field of ["name", "models", "id", "ownerId", "revoked_at"])
      expect((await call("PATCH", `agents/keys/${id}`, { [field]: "x" })).status).toBe(400);
    expect(await list()).toMatchObject([{ name: "gpu box", ...NO_PREFERENCE }]);
  });

  test("an owner who does not exist is a 404 that says so, and nothing changes", async () => {
    const { call, add, list, preference } = await scene();
    const { id } = await add(preference);
    const refusal = {
      status: 404,
      body: { error: "No such user", hint: "The owner of an agent key must be the id of a user." },
    };
    const owner_id = "nobody";
    expect(await call("POST", "agents/keys", { name: "b", owner_id })).toEqual(refusal);
    expect(await call("PATCH", `agents/keys/${id}`, { priority: 1, owner_id })).toEqual(refusal);
    expect(await list()).toMatchObject([preference]);
  });

  test("a key that is unknown or revoked cannot be changed", async () => {
    const { call, add } = await scene();
    const { id } = await add();
    await call("DELETE", `agents/keys/${id}`);
    for (const unknown of [id, "unknown"])
      expect(await call("PATCH", `agents/keys/${unknown}`, { priority: 1 })).toMatchObject({
        ...{ status: 404, body: { error: "No such agent key" } },
      });
  });

  test("deleting a user takes the ownership from their keys", async () => {
    const { call, add, list, owner_id, preference } = await scene();
    await add(preference);
    await call("DELETE", `users/${owner_id}`);
    expect(await list()).toMatchObject([{ ...preference, owner_id: null }]);
  });
});

describe("the agents that are connected with a changed key", () => {
  async function sceneWithAgents() {
    const parts = await scene();
    const { server, add, call } = parts;
    const { id, key } = await add({ priority: 1, tags: ["home"] });
    const hello = { ...V2_HELLO, priority: 3, tags: ["home", "gpu"] };
    const agents = [
      await connectV2Agent(server.url, { key, hello }),
      await connectV2Agent(server.url, { key: server.agentKey, hello }),
    ];
    const listed = async () => (await call("GET", "agents")).body.agents;
    return { ...parts, id, agents, listed };
  }

  test("a change over HTTP is in force when it is answered, for the agents with the key only", async () => {
    const { call, id, listed } = await sceneWithAgents();
    const main = { priority: 3, weight: 1, tags: ["home", "gpu"] };
    expect(await listed()).toMatchObject([{ priority: 1, weight: 1, tags: ["home"] }, main]);
    await call("PATCH", `agents/keys/${id}`, { priority: null, weight: 5, tags: ["gpu", "office"] });
    expect(await listed()).toMatchObject([{ priority: 3, weight: 5, tags: ["gpu"] }, main]);
    await call("PATCH", `agents/keys/${id}`, { tags: null });
    expect(await listed()).toMatchObject([{ priority: 3, weight: 5, tags: [] }, main]);
  });

  test("a change by another process is in force within seconds, and disconnects nobody", async () => {
    const { server, id, agents, listed } = await sceneWithAgents();
    const { agentKeys } = openTestFile(join(server.data, "server.db"));
    await agentKeys.change(id, { priority: 9, tags: null });
    await until(async () => (await listed())[0]?.priority === 9);
    expect(await listed()).toMatchObject([{ tags: [] }, { priority: 3 }]);
    expect(agents.map(({ ready }) => ready.agent)).toEqual((await listed()).map((one: Listed) => one.id));
  });
});
