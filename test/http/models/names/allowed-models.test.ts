import { describe, expect, onTestFinished, test } from "bun:test";
import { firefoxAgent } from "../../../support/agents.ts";
import { ADMIN_KEY, startTestServer } from "../../../support/server.ts";
import { connectV2Agent, streamPieces, V2_HELLO } from "../../../support/v2-agent.ts";

const MODELS = ["llama", "qwen", "secret"];

/** Starts a server with three models and the alias "fast" for llama, and adds a user who may use `models`. */
async function scene(models: readonly string[] | null) {
  const server = await startTestServer(["--model-alias", "fast=llama,hidden=secret"]);
  const agent = await connectV2Agent(server.url, {
    hello: {
      ...V2_HELLO,
      models: MODELS.map((id) => ({ id })),
      endpoints: ["chat/completions", "embeddings", "messages"],
    },
    onAsk({ ask, stream, body }, self) {
      const { model } = JSON.parse(body);
      if (stream) streamPieces(self, ask, [`from ${model}`]);
      else self.say({ type: "done", ask, status: 200, body: JSON.stringify({ model }) });
    },
  });
  onTestFinished(agent.stop);
  const added = await fetch(`${server.url}/admin/users/add`, {
    method: "POST",
    headers: { authorization: ADMIN_KEY },
    body: JSON.stringify({ models }),
  });
  const { token, user_id } = (await added.json()) as { token: string; user_id: string };
  const headers = { authorization: token };
  const post = (path: string, body: object) =>
    fetch(server.url + path, { method: "POST", headers, body: JSON.stringify(body) });
  const get = (path: string) => fetch(server.url + path, { headers });
  const change = (to: readonly string[] | null) =>
    fetch(`${server.url}/admin/users/${user_id}`, {
      method: "PATCH",
      headers: { authorization: ADMIN_KEY },
      body: JSON.stringify({ models: to }),
    });
  return { server, agent, post, get, change };
}

const chat = (model: string) => ({ model, messages: [{ role: "user", content: "hi" }] });

describe("a user with a list of models", () => {
  for (const [allowed, asked, used] of [
    ["llama", "llama", "llama"],
    ["llama", "fast", "llama"],
    ["fast", "fast", "llama"],
    ["fast", "llama", "llama"],
    ["qwen", "llama", undefined],
    ["qwen", "fast", undefined],
    ["fast", "secret", undefined],
    ["llama", "hidden", undefined],
    ["llama", "no such model", undefined],
  ] as const) {
    test(`a user who may use ${allowed} may ${used ? "" : "not "}use ${asked}`, async () => {
      const { post, agent } = await scene([allowed]);
      const replies = [
        await post("/v1/chat/completions", chat(asked)),
        await post("/v1/embeddings", { model: asked, input: "hi" }),
        await post("/v1/messages", { ...chat(asked), max_tokens: 9 }),
        await post("/api/ask", { content: "hi", model: asked }),
      ];
      expect(replies.map(({ status }) => status)).toEqual(Array(4).fill(used ? 200 : 403));
      for (const reply of replies) {
        const text = await reply.text();
        expect(text).not.toContain("secret");
        if (used) expect(text).toContain(used);
      }
      if (!used) expect(agent.frames.filter(({ type }) => type === "ask")).toEqual([]);
    });
  }

  test("an error lists the models that the user may use, in each error style", async () => {
    const { post } = await scene(["llama", "qwen"]);
    const hint = "The models you may use: llama, qwen.";
    const openai = await (await post("/v1/chat/completions", chat("secret"))).json();
    expect(openai).toMatchObject({
      error: {
        type: "permission_error",
        code: "model_not_allowed",
        param: "model",
        message: `You may not use this model. ${hint}`,
      },
    });
    const anthropic = await (await post("/v1/messages", { ...chat("secret"), max_tokens: 9 })).json();
    expect(anthropic).toMatchObject({ type: "error", error: { type: "permission_error" } });
    const reference = await (await post("/api/ask", { content: "hi", model: "secret" })).json();
    expect(reference).toEqual({ error: "You may not use this model", hint });
  });

  test("a user with a list of models sees these and their aliases, and no others", async () => {
    const { get } = await scene(["fast", "qwen"]);
    const { data } = (await (await get("/v1/models")).json()) as { data: { id: string }[] };
    expect(data.map(({ id }) => id)).toEqual(["llama", "qwen", "fast"]);
    const statuses = ["llama", "fast", "secret", "hidden"].map(
      async (id) => (await get(`/v1/models/${id}`)).status,
    );
    expect(await Promise.all(statuses)).toEqual([200, 200, 404, 404]);
  });

  test("the error for an allowed model that is not there does not name other models", async () => {
    const { post } = await scene(["absent", "qwen"]);
    const refused = await post("/v1/chat/completions", chat("absent"));
    expect(refused.status).toBe(404);
    const text = await refused.text();
    expect(text).toContain("qwen");
    expect(text).not.toMatch(/llama|secret/);
  });

  test("a request without a model gets an allowed one, also from an agent that prefers another", async () => {
    const { post, server } = await scene(["secret"]);
    const first = await firefoxAgent(server.url);
    const reply = await post("/api/ask", { content: "hi" });
    expect(await reply.json()).toMatchObject({ content: "from secret" });
    expect(first.requests).toEqual([]);
    await first.stop();
  });

  test.each([
    ["models", ["llama", "secret"]],
    ["models", ["hidden"]],
    ["models", [{ id: "llama" }]],
    ["models", "secret"],
    ["models", { 0: "llama" }],
    ["fallbacks", ["secret"]],
    ["fallbacks", [{ llama: ["secret"] }]],
  ])("a user cannot reach another model through the fallback list %s: %p", async (param, list) => {
    const { post } = await scene(["llama", "qwen"]);
    for (const path of ["/v1/chat/completions", "/v1/embeddings", "/v1/messages"]) {
      const refused = await post(path, { ...chat("llama"), [param]: list });
      expect(refused.status).toBe(403);
      expect(await refused.text()).toContain(`\`${param}\` must be an array`);
    }
    expect(
      (await post("/v1/chat/completions", { ...chat("llama"), [param]: ["qwen", "llama"] })).status,
    ).toBe(200);
    expect((await post("/v1/chat/completions", { ...chat("llama"), [param]: null })).status).toBe(200);
    const free = await scene(null);
    expect((await free.post("/v1/chat/completions", { ...chat("llama"), [param]: list })).status).toBe(200);
  });

  test("a user cannot continue a conversation with a model that is no longer allowed, but can with another", async () => {
    const { post, change } = await scene(["llama", "qwen"]);
    const begun = (await (await post("/api/ask", { content: "hi", model: "llama" })).json()) as {
      conversation_id: string;
    };
    const { conversation_id } = begun;
    await change(["qwen"]);
    expect((await post("/api/ask", { content: "more", conversation_id })).status).toBe(403);
    const other = await post("/api/ask", { content: "more", conversation_id, model: "qwen" });
    expect(await other.json()).toMatchObject({ content: "from qwen" });
  });

  test("a user cannot continue a conversation with a v1 agent whose model is no longer allowed", async () => {
    const { post, change, server } = await scene(["chatgpt"]);
    const agent = await firefoxAgent(server.url);
    const begun = (await (await post("/api/ask", { content: "hi" })).json()) as { conversation_id: string };
    const followUp = { content: "more", conversation_id: begun.conversation_id };
    expect((await post("/api/ask", followUp)).status).toBe(200);
    await change(["llama"]);
    const refused = await post("/api/ask", followUp);
    expect([refused.status, await refused.text()]).toEqual([403, '{"error":"You may not use this model"}']);
    expect(agent.requests).toHaveLength(2);
    await agent.stop();
  });
});

test("a user without a list of models may use every model", async () => {
  const { post, get } = await scene(null);
  for (const model of [...MODELS, "fast", "hidden"])
    expect((await post("/v1/chat/completions", chat(model))).status).toBe(200);
  const { data } = (await (await get("/v1/models")).json()) as { data: { id: string }[] };
  expect(data.map(({ id }) => id)).toEqual([...MODELS, "fast", "hidden"]);
});

test("/api/ask accepts an alias of an allowed model, as the other routes do", async () => {
  const { post } = await scene(null);
  const reply = await post("/api/ask", { content: "hi", model: "fast" });
  expect(await reply.json()).toMatchObject({ content: "from llama" });
});
