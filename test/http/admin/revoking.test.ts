import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { firefoxAgent } from "../../support/agents.ts";
import { type ModelScene, startModelScene } from "../../support/model-scene.ts";
import { untilWaiting } from "../../support/queue.ts";
import { ADMIN_KEY, startTestServer } from "../../support/server.ts";
import { openTestFile } from "../../support/store.ts";
import { chunk, V2_HELLO } from "../../support/v2-agent.ts";

const KEY = { authorization: ADMIN_KEY };
const REVOCATIONS = [
  ["deleting", "DELETE", ""],
  ["disabling", "POST", "/disable"],
  ["rotating", "POST", "/rotate"],
] as const;

async function scene() {
  // One slot, so that the second request waits.
  const { server, agent } = await startModelScene({ hello: { ...V2_HELLO, slots: 1 } });
  const added = await fetch(`${server.url}/admin/users/add`, { method: "POST", headers: KEY });
  const { token, user_id } = (await added.json()) as { token: string; user_id: string };
  const post = (path: string, body: object, key = token) =>
    fetch(server.url + path, { method: "POST", headers: { authorization: key }, body: JSON.stringify(body) });
  const chat = (stream: boolean, key = token) =>
    post("/v1/chat/completions", { model: "m", stream, messages: [{ role: "user", content: "hi" }] }, key);
  const administer = (method: string, path: string) =>
    fetch(`${server.url}/admin/users/${user_id}${path}`, { method, headers: KEY, body: "{}" });
  return { server, agent, post, chat, administer };
}

/** Makes the agent begin an answer. Resolves once the caller has received the beginning. */
async function begin(agent: ModelScene["agent"], asked: Promise<Response>) {
  const { ask } = await agent.next("ask");
  agent.say({ type: "accept", ask });
  agent.say({ type: "delta", ask, data: chunk("a piece") });
  return { ask, response: await asked };
}

describe.each(REVOCATIONS)("revoking with %s", (_, method, path) => {
  test("the user's running streams end with an error event, waiting requests with 401, and the agent is told to cancel", async () => {
    const { agent, chat, post, administer, server } = await scene();
    const { ask, response } = await begin(agent, chat(true));
    const waiting = [chat(false), chat(true), post("/api/ask", { content: "hi" })];
    const others = chat(false, ADMIN_KEY);
    await untilWaiting(server.url, ADMIN_KEY, 4);
    expect((await administer(method, path)).status).toBe(200);
    expect(await agent.next("cancel")).toEqual({ type: "cancel", ask });
    expect(response.status).toBe(200);
    const events = await response.text();
    expect(events).toContain("a piece");
    expect(events).toContain('"code":"invalid_api_key"');
    expect(events).not.toContain("[DONE]");
    for (const refused of await Promise.all(waiting)) {
      expect(refused.status).toBe(401);
      expect(await refused.text()).toContain("Invalid API key");
    }
    const next = await agent.next("ask");
    agent.say({ type: "done", ask: next.ask, status: 200, body: "{}" });
    expect((await others).status).toBe(200);
    expect(agent.frames.filter(({ type }) => type === "ask")).toHaveLength(2);
  });

  test("the user's streams of /api/ask end, and a v1 agent is free once it answers", async () => {
    const server = await startTestServer();
    const answer = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const agent = await firefoxAgent(server.url, {
      answer: async ({ content }) => {
        begun.resolve();
        if (content === "slow") await answer.promise;
        return { content };
      },
    });
    const added = await fetch(`${server.url}/admin/users/add`, { method: "POST", headers: KEY });
    const { token, user_id } = (await added.json()) as { token: string; user_id: string };
    const ask = (content: string, key: string) =>
      fetch(`${server.url}/api/ask`, {
        method: "POST",
        headers: { authorization: key },
        body: JSON.stringify({ content }),
      });
    const slow = ask("slow", token);
    await begun.promise;
    await fetch(`${server.url}/admin/users/${user_id}${path}`, { method, headers: KEY, body: "{}" });
    const refused = await slow;
    expect([refused.status, await refused.text()]).toEqual([401, '{"error":"Invalid API key"}']);
    const next = ask("next", ADMIN_KEY);
    answer.resolve();
    expect(await (await next).json()).toMatchObject({ content: "next" });
    await agent.stop();
  });
});

test("rotating a token with a grace period ends nothing", async () => {
  const { agent, chat, server } = await scene();
  const { ask, response } = await begin(agent, chat(true));
  const { users } = (await (await fetch(`${server.url}/admin/users`, { headers: KEY })).json()) as {
    users: { user_id: string }[];
  };
  await fetch(`${server.url}/admin/users/${users[0]?.user_id}/rotate`, {
    method: "POST",
    headers: KEY,
    body: '{"grace_seconds":60}',
  });
  agent.say({ type: "delta", ask, data: "[DONE]" });
  agent.say({ type: "done", ask, status: 200 });
  expect(await response.text()).toEndWith("data: [DONE]\n\n");
});

test("a key that is revoked while the body arrives is refused", async () => {
  const { agent, administer, server } = await scene();
  const { users } = (await (await fetch(`${server.url}/admin/users`, { headers: KEY })).json()) as {
    users: { token: string }[];
  };
  const rest = Promise.withResolvers<void>();
  const body = new ReadableStream({
    async start(controller) {
      controller.enqueue(new TextEncoder().encode('{"content":'));
      await rest.promise;
      controller.enqueue(new TextEncoder().encode('"hi"}'));
      controller.close();
    },
  });
  const headers = { authorization: users[0]?.token ?? "" };
  const asked = fetch(`${server.url}/api/ask`, { method: "POST", headers, body });
  await fetch(`${server.url}/api/connections`, { headers: KEY });
  await administer("POST", "/disable");
  rest.resolve();
  expect((await asked).status).toBe(401);
  expect(agent.frames.filter(({ type }) => type === "ask")).toEqual([]);
});

type Elsewhere = ReturnType<typeof openTestFile>["users"];

describe("changes of another process, or of this one, to the user of a running stream", () => {
  const rotated = { tokenHash: "another", sealedToken: Buffer.of() };
  const CASES: [string, (users: Elsewhere, id: string) => Promise<unknown>, string][] = [
    ["disables the user", (users, id) => users.change(id, { disabledAt: Date.now() }), "invalid_api_key"],
    ["deletes the user", (users, id) => users.delete(id), "invalid_api_key"],
    ["rotates the token", (users, id) => users.rotate(id, rotated, 0), "invalid_api_key"],
    ["lets the user expire", (users, id) => users.change(id, { expiresAt: 1 }), "invalid_api_key"],
    [
      "lets a grace period end",
      (users, id) => users.rotate(id, rotated, Date.now() + 100),
      "invalid_api_key",
    ],
    ["takes the model away", (users, id) => users.change(id, { models: ["other"] }), "model_not_allowed"],
  ];

  test.each(CASES)(
    "the stream ends within a second or so when another process %s",
    async (_, change, code) => {
      const { agent, chat, server } = await scene();
      const { ask, response } = await begin(agent, chat(true));
      const elsewhere = openTestFile(join(server.data, "server.db"));
      const [user] = await elsewhere.users.list();
      await change(elsewhere.users, user?.id ?? "");
      expect(await agent.next("cancel")).toEqual({ type: "cancel", ask });
      const events = await response.text();
      expect(events).toContain(`"code":"${code}"`);
      expect(events).not.toContain("[DONE]");
    },
  );

  test("the stream ends at once when an administrator takes its model away, and not when it stays", async () => {
    const { agent, chat, server } = await scene();
    const { ask, response } = await begin(agent, chat(true));
    const { users } = (await (await fetch(`${server.url}/admin/users`, { headers: KEY })).json()) as {
      users: { user_id: string }[];
    };
    const allow = (models: string[]) =>
      fetch(`${server.url}/admin/users/${users[0]?.user_id}`, {
        method: "PATCH",
        headers: KEY,
        body: JSON.stringify({ models }),
      });
    expect((await allow(["m", "other"])).status).toBe(200);
    agent.say({ type: "delta", ask, data: chunk("another piece") });
    expect((await allow(["other"])).status).toBe(200);
    expect(await agent.next("cancel")).toEqual({ type: "cancel", ask });
    const events = await response.text();
    expect(events).toContain("another piece");
    expect(events).toContain('"code":"model_not_allowed"');
  });
});
