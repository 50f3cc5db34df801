import { describe, expect, onTestFinished, test } from "bun:test";
import { ADMIN_KEY, startTestServer } from "../../support/server.ts";
import { connectV2Agent, streamPieces, V2_HELLO } from "../../support/v2-agent.ts";

/** The fields of the answers that the tests read. */
interface Body {
  model?: string;
  content?: string;
  error?: string;
  hint?: string;
  conversation_id?: string;
  id?: string;
  data?: { id: string }[];
  usage?: { model: string }[];
}

/** Starts a server with one agent, which names the model that it was asked for, and adds a user. */
async function scene(offered: readonly string[], allowed: readonly string[] | null = null) {
  const server = await startTestServer(["--model-alias", "fast=llama,bare=plain:latest"]);
  const agent = await connectV2Agent(server.url, {
    hello: {
      ...V2_HELLO,
      models: offered.map((id) => ({ id })),
      endpoints: ["chat/completions", "embeddings"],
    },
    onAsk({ ask, stream, body }, self) {
      const { model } = JSON.parse(body);
      if (stream) streamPieces(self, ask, [`from ${model}`]);
      else {
        const message = { role: "assistant", content: `from ${model}` };
        const choices = [{ index: 0, message, finish_reason: "stop" }];
        self.say({ type: "done", ask, status: 200, body: JSON.stringify({ model, choices, data: [] }) });
      }
    },
  });
  onTestFinished(agent.stop);
  const added = await fetch(`${server.url}/admin/users/add`, {
    method: "POST",
    headers: { authorization: ADMIN_KEY },
    body: JSON.stringify({ models: allowed }),
  });
  const { token } = (await added.json()) as { token: string };
  const headers = { authorization: token };
  const get = async (path: string) => (await (await fetch(server.url + path, { headers })).json()) as Body;
  const post = async (path: string, body: object) => {
    const response = await fetch(server.url + path, { method: "POST", headers, body: JSON.stringify(body) });
    return { status: response.status, body: (await response.json()) as Body };
  };
  const messages = [{ role: "user", content: "hi" }];
  const requests = (model: string) =>
    Promise.all([
      post("/v1/chat/completions", { model, messages }),
      post("/v1/messages", { model, messages, max_tokens: 9 }),
      post("/v1/responses", { model, input: "hi" }),
      post("/v1/embeddings", { model, input: "hi" }),
      post("/api/ask", { model, content: "hi" }),
    ]);
  return { server, agent, get, post, requests };
}

describe("Ollama's names without a tag", () => {
  test.each([
    ["llama:latest", "llama"],
    ["llama", "llama:latest"],
    ["llama:latest", "fast"],
    ["llama:latest", "fast:latest"],
    ["plain", "bare"],
  ])(
    "if %s is offered, it answers requests for %s on every route, and usage names it",
    async (offered, asked) => {
      const { requests, get } = await scene([offered]);
      const replies = await requests(asked);
      expect(replies.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
      const [chat, , , embeddings, ask] = replies;
      expect([chat?.body.model, embeddings?.body.model]).toEqual([offered, offered]);
      expect(ask?.body.content).toBe(`from ${offered}`);
      const { usage } = await get("/api/usage?by=model");
      expect(usage?.map(({ model }) => model)).toEqual([offered]);
    },
  );

  test("a model that is offered under the very name is used, and a name with another tag stands for itself", async () => {
    const { requests } = await scene(["llama", "llama:latest"]);
    expect((await requests("llama"))[0].body.model).toBe("llama");
    expect((await requests("llama:latest"))[0].body.model).toBe("llama:latest");
    expect((await requests("llama:1b"))[0].status).toBe(404);
  });

  test("a model is read under either name, and under an alias", async () => {
    const { get } = await scene(["llama:latest", "plain"]);
    expect((await get("/v1/models/llama")).id).toBe("llama:latest");
    expect((await get("/v1/models/plain:latest")).id).toBe("plain");
    expect((await get("/v1/models/fast")).id).toBe("fast");
    expect((await get("/v1/models")).data?.map(({ id }) => id)).toEqual([
      ...["llama:latest", "plain", "fast", "bare"],
    ]);
  });

  test("a user who may use one name may use the other, but no model that is offered beside it", async () => {
    const { requests, get } = await scene(["llama:latest", "plain"], ["llama"]);
    for (const name of ["llama", "llama:latest", "fast"])
      expect((await requests(name)).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    expect((await requests("plain"))[0].status).toBe(403);
    expect((await get("/v1/models")).data?.map(({ id }) => id)).toEqual(["llama:latest", "fast"]);
    const both = await scene(["llama", "llama:latest"], ["llama"]);
    expect((await both.requests("llama:latest")).map(({ status }) => status)).toEqual(Array(5).fill(403));
  });

  test("a conversation goes on with the model when only its other name is offered", async () => {
    const { post, agent } = await scene(["llama"]);
    const { conversation_id } = (await post("/api/ask", { content: "hi" })).body;
    agent.say({ type: "update", models: [{ id: "llama:latest" }] });
    const reply = await post("/api/ask", { content: "more", conversation_id });
    expect([reply.status, reply.body.content]).toEqual([200, "from llama:latest"]);
  });
});

test("/api/ask with a model that no agent has ever offered is a 404 with the models, and a 503 without agents", async () => {
  const { post, get } = await scene(["llama", "secret"], ["llama", "absent"]);
  const reply = await post("/api/ask", { content: "hi", model: "absent" });
  expect(reply).toEqual({
    status: 404,
    body: { error: "The model does not exist", hint: "Available models: llama." },
  });
  expect((await get("/api/usage?by=model")).usage).toMatchObject([
    { model: null, asks: 0, refused: 1, refusals: { model_not_found: 1 } },
  ]);
  const bare = await startTestServer();
  const asked = await fetch(`${bare.url}/api/ask`, {
    method: "POST",
    headers: { authorization: ADMIN_KEY },
    body: JSON.stringify({ content: "hi", model: "absent" }),
  });
  expect(asked.status).toBe(503);
});
