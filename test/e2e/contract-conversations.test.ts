import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { firefoxAgent } from "../support/agents.ts";
import { type Scene, startScene, useScene } from "../support/scene.ts";
import { until } from "../support/until.ts";

const UNKNOWN = '{"error":"Conversation doesn\'t exists"}';

async function begin(scene: Scene, key?: string) {
  const { body } = await scene.ask({ content: "begin" }, key === undefined ? {} : { key });
  return { conversation_id: body.conversation_id ?? "", parent_id: body.response_id ?? "" };
}

function isStored({ server }: Scene, id: string): boolean {
  const database = new Database(join(server.data, "server.db"), { readonly: true });
  try {
    return database.query("SELECT 1 FROM conversations WHERE id = ?").get(id) !== null;
  } finally {
    database.close();
  }
}

describe("a conversation", () => {
  const scene = useScene(["--reconnect-grace", "500ms"]);

  test("a conversation continues at its own agent, with the ids that the caller gave", async () => {
    const agents = [await scene.firefox(), await scene.python(), await scene.firefox()];
    const thread = await begin(scene);
    const owner = agents.find(({ requests }) => requests.length === 1);
    for (let turn = 1; turn < 4; turn++) {
      const { status, body } = await scene.ask({ content: `turn ${turn}`, ...thread });
      expect([status, body.conversation_id]).toEqual([200, thread.conversation_id]);
      expect(owner?.requests).toHaveLength(turn + 1);
      expect(owner?.requests.at(-1)).toMatchObject(thread);
    }
  });

  test("a conversation waits for its own agent while that is busy, though others are free", async () => {
    const held = Promise.withResolvers<object>();
    const agent = await scene.firefox({ answer: ({ content }) => (content === "long" ? held.promise : {}) });
    const thread = await begin(scene);
    const long = scene.ask({ content: "long", ...thread });
    await agent.nextRequest();
    const other = await scene.firefox();
    const followed = scene.ask({ content: "next", ...thread });
    await scene.ask({ content: "elsewhere" });
    expect(other.requests.map(({ content }) => content)).toEqual(["elsewhere"]);
    held.resolve({});
    expect((await long).status).toBe(200);
    expect((await followed).body.content).toBe("echo: next");
    expect(agent.requests.map(({ content }) => content)).toEqual(["begin", "long", "next"]);
  });

  test("a conversation belongs to the user who began it, does not exist for others, and the admin may continue any", async () => {
    await scene.firefox();
    const [owner, other] = [await scene.addUser(), await scene.addUser()];
    const thread = await begin(scene, owner.token);
    const ofAdmin = await begin(scene);
    const ask = (key: string, ids: object) => scene.ask({ content: "hi", ...ids }, { key });
    for (const [key, ids] of [
      [other.token, thread],
      [other.token, ofAdmin],
      [owner.token, { conversation_id: crypto.randomUUID() }],
      [scene.adminKey, { conversation_id: "no such" }],
    ] as const) {
      const { status, text } = await ask(key, ids);
      expect([status, text]).toEqual([404, UNKNOWN]);
    }
    expect((await ask(owner.token, thread)).status).toBe(200);
    expect((await ask(scene.adminKey, thread)).status).toBe(200);
    expect((await ask(owner.token, thread)).status).toBe(200);
  });

  test("a conversation is not taken over by an agent that names it in an answer to another user", async () => {
    const [owner, thief] = [await scene.addUser(), await scene.addUser()];
    const agent = await scene.firefox();
    const thread = await begin(scene, owner.token);
    const { conversation_id } = thread;
    await scene.firefox({ answer: () => ({ conversation_id }) });
    expect((await scene.ask({ content: "x" }, { key: thief.token })).body).toMatchObject({ conversation_id });
    expect((await scene.ask({ content: "mine?", ...thread }, { key: thief.token })).text).toBe(UNKNOWN);
    expect((await scene.ask({ content: "mine", ...thread }, { key: owner.token })).status).toBe(200);
    expect(agent.requests.map(({ content }) => content)).toEqual(["begin", "mine"]);
  });

  test("a conversation ends when its user is deleted", async () => {
    await scene.firefox();
    const { user_id, token } = await scene.addUser();
    const thread = await begin(scene, token);
    const body = JSON.stringify({ admin_key: scene.adminKey, user_id });
    await scene.request("/admin/users/delete", { method: "POST", body });
    expect((await scene.ask({ content: "hi", ...thread })).text).toBe(UNKNOWN);
  });

  test("a conversation whose agent is gone is a 503, and continues when the agent is back", async () => {
    const agent = await scene.firefox();
    const thread = await begin(scene);
    agent.drop();
    await agent.ended;
    const other = await scene.firefox();
    const { status, text, headers } = await scene.ask({ content: "gone?", ...thread });
    expect([status, text]).toEqual([503, '{"error":"Connection no longer exists"}']);
    expect(Number(headers.get("retry-after"))).toBeGreaterThan(0);
    await agent.connect();
    expect((await scene.ask({ content: "back", ...thread })).body.content).toBe("echo: back");
    expect(other.requests).toEqual([]);
  });

  test("a conversation whose agent is back within the grace period waits for it", async () => {
    const scene = await startScene({ flags: ["--reconnect-grace", "10m"] });
    const agent = await scene.firefox();
    const thread = await begin(scene);
    agent.drop();
    await agent.ended;
    await until(async () => (await scene.connections()).length === 0);
    const followed = scene.ask({ content: "wait", ...thread });
    await agent.connect();
    expect((await followed).body.content).toBe("echo: wait");
  });

  test("an ask of a conversation is never sent twice: the caller gets an error when the agent drops it", async () => {
    const agent = await scene.firefox({
      answer: ({ content }) => (content === "lost" ? "drop" : {}),
      reconnectMs: 10,
    });
    const thread = await begin(scene);
    const { status, body } = await scene.ask({ content: "lost", ...thread });
    expect([status, body.error]).toEqual([502, "Failed to read response from the client"]);
    expect(agent.requests.map(({ content }) => content)).toEqual(["begin", "lost"]);
  });
});

describe("after a restart of the server", () => {
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    test(`after a restart by ${signal} a conversation continues once its agent is back, for its owner only`, async () => {
      const first = await startScene();
      const [owner, other] = [await first.addUser(), await first.addUser()];
      const agent = await first.firefox();
      const thread = await begin(first, owner.token);
      // The row is written within a second after the answer; a kill may lose a younger one.
      if (signal === "SIGKILL") await until(() => isStored(first, thread.conversation_id));
      first.server.kill(signal);
      await first.server.exited;

      const second = await startScene({ data: first.server.data, adminKey: first.adminKey });
      for (const { token } of [owner, other]) second.server.keepSecret(token);
      const stranger = await second.firefox();
      expect((await second.ask({ content: "hi", ...thread }, { key: other.token })).text).toBe(UNKNOWN);
      const early = await second.ask({ content: "early", ...thread }, { key: owner.token });
      expect([early.status, early.text]).toEqual([503, '{"error":"Connection no longer exists"}']);
      const returned = await firefoxAgent(second.url, { id: agent.id });
      second.after(() => returned.stop());
      const followed = await second.ask({ content: "on", ...thread }, { key: owner.token });
      expect(followed.body.content).toBe("echo: on");
      expect(returned.requests[0]).toMatchObject(thread);
      expect(stranger.requests).toEqual([]);
    });
  }
});
