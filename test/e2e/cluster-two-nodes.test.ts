import { expect, test } from "bun:test";
import { pythonAgent } from "../support/agents.ts";
import { describeWithCluster, startNodes } from "../support/cluster-nodes.ts";
import { addUser, call } from "../support/database-server.ts";
import type { Executable } from "../support/executable.ts";
import { until } from "../support/until.ts";
import { type AskFrame, chunk, connectV2Agent, streamPieces, type V2Agent } from "../support/v2-agent.ts";

const ENDPOINTS = ["chat/completions", "messages", "responses", "embeddings"];
const HELLO = {
  type: "hello",
  name: "box",
  version: "1",
  slots: 8,
  models: [{ id: "m" }],
  endpoints: ENDPOINTS,
};
const QUESTION = { model: "m", messages: [{ role: "user", content: "hi" }] };
const WHOLE = JSON.stringify({
  ...{ id: "c1", object: "chat.completion", created: 1, model: "m" },
  choices: [{ index: 0, message: { role: "assistant", content: "hello" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
});
const MESSAGE = JSON.stringify({
  ...{ id: "msg_1", type: "message", role: "assistant", model: "m", stop_reason: "end_turn" },
  ...{ content: [{ type: "text", text: "hello" }], usage: { input_tokens: 3, output_tokens: 2 } },
});

interface Scene {
  a: Executable;
  b: Executable;
  token: string;
}

const post = ({ token }: Scene, node: Executable, path: string, body: object, signal?: AbortSignal) =>
  fetch(node.url + path, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify(body),
    ...(signal && { signal }),
  });

/** Two nodes: callers come to `a`, and the agents are at `b`. */
async function start() {
  const [a, b] = (await startNodes(["a", "b"])) as [Executable, Executable];
  const { token } = await addUser(a);
  const hasModel = async (node: Executable) => {
    const { body } = await call(node, "/v1/models", token);
    return (body as unknown as { data: unknown[] }).data.length === 1;
  };
  /** Resolves once both nodes know what the agents offer. */
  const known = async () => {
    for (const node of [a, b]) await until(() => hasModel(node));
  };
  const join = async (onAsk: (ask: AskFrame, agent: V2Agent) => unknown) => {
    const agent = await connectV2Agent(b.url, { hello: HELLO, onAsk });
    await known();
    return agent;
  };
  return { a, b, token, known, join };
}

const answer = (ask: AskFrame, agent: V2Agent) =>
  ask.stream
    ? streamPieces(agent, ask.ask, ["a", "b", "c"])
    : agent.say({
        type: "done",
        ask: ask.ask,
        status: 200,
        body: ask.endpoint === "messages" ? MESSAGE : WHOLE,
      });

/** Returns what a caller can compare: the status, the body, and the headers that do not differ by nature. */
async function comparable(response: Response) {
  const headers = Object.fromEntries(response.headers);
  for (const name of [
    "date",
    "x-request-id",
    "request-id",
    "x-queue-ms",
    "x-agent-id",
    "openai-processing-ms",
  ])
    delete headers[name];
  return { status: response.status, headers, body: await response.text() };
}

describeWithCluster("two nodes", () => {
  test("an answer from an agent of another node is the same as from one of the caller's node", async () => {
    const scene = await start();
    const { a, b } = scene;
    await scene.join(answer);
    const requests: [string, object][] = [
      ["/v1/chat/completions", QUESTION],
      ["/v1/chat/completions", { ...QUESTION, stream: true }],
      ["/v1/messages", { ...QUESTION, max_tokens: 5 }],
      ["/v1/messages", { ...QUESTION, max_tokens: 5, stream: true }],
      ["/api/ask", { content: "hi", model: "m" }],
    ];
    const withoutIds = (text: string) => text.replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "<id>");
    for (const [path, body] of requests) {
      const [elsewhere, here] = [
        await comparable(await post(scene, a, path, body)),
        await comparable(await post(scene, b, path, body)),
      ];
      expect(here.status).toBe(200);
      expect({ ...elsewhere, body: withoutIds(elsewhere.body) }).toEqual({
        ...here,
        body: withoutIds(here.body),
      });
    }
    await until(() => /"agent_node":"b"/.test(a.stdout()));
    expect(b.stdout()).not.toContain('"agent_node"');
  });

  test("the error of an upstream arrives unchanged, with its headers", async () => {
    const scene = await start();
    const body = '{"error":{"message":"Slow down.","type":"rate","code":"slow"}, "own": [1, 2]}';
    const headers = { "retry-after": "7", "x-ratelimit-limit-requests": "3" };
    await scene.join(({ ask }, agent) => agent.say({ type: "done", ask, status: 429, body, headers }));
    const elsewhere = await comparable(await post(scene, scene.a, "/v1/chat/completions", QUESTION));
    const here = await comparable(await post(scene, scene.b, "/v1/chat/completions", QUESTION));
    expect(elsewhere).toEqual(here);
    expect(elsewhere).toMatchObject({ status: 429, headers });
  });

  test("a caller who hangs up cancels the ask at the agent of another node", async () => {
    const scene = await start();
    const agent = await scene.join((ask, own) => own.say({ type: "delta", ask: ask.ask, data: chunk("a") }));
    const caller = new AbortController();
    const response = await post(
      scene,
      scene.a,
      "/v1/chat/completions",
      { ...QUESTION, stream: true },
      caller.signal,
    );
    const reader = response.body?.getReader();
    await reader?.read();
    caller.abort();
    expect(await agent.next("cancel")).toMatchObject({ type: "cancel" });
  });

  test("an ask whose agent is killed before the first byte goes to another, and fails in band after it", async () => {
    const scene = await start();
    const first = await scene.join(() => {});
    const whole = post(scene, scene.a, "/v1/chat/completions", QUESTION);
    await first.next("ask");
    const second = await scene.join((ask, own) => {
      if (!ask.stream) answer(ask, own);
      else own.say({ type: "delta", ask: ask.ask, data: chunk("begun") });
    });
    first.drop();
    expect((await whole).status).toBe(200);
    const stream = await post(scene, scene.a, "/v1/chat/completions", { ...QUESTION, stream: true });
    const text = stream.text();
    await second.next("ask");
    await second.next("ask");
    second.drop();
    expect(await text).toMatch(/begun[\s\S]*"error"/);
  });

  test("a body of 20 MB reaches the agent of another node unchanged", async () => {
    const scene = await start();
    const content = "0123456789abcdef".repeat((20 * 1024 * 1024) / 16);
    const agent = await scene.join(answer);
    const response = await post(scene, scene.a, "/v1/chat/completions", {
      ...{ model: "m", messages: [{ role: "user", content }] },
    });
    expect(response.status).toBe(200);
    const { body } = await agent.next("ask");
    expect(JSON.parse(body).messages[0].content === content).toBe(true);
  });

  test("a conversation with a v1 agent of another node goes on at that agent", async () => {
    const scene = await start();
    const agent = await pythonAgent(scene.b.url);
    await scene.known();
    const opening = await post(scene, scene.a, "/api/ask", { content: "one" });
    const { conversation_id, response_id } = (await opening.json()) as Record<string, string>;
    const next = await post(scene, scene.a, "/api/ask", {
      ...{ content: "two", conversation_id, parent_id: response_id },
    });
    expect([opening.status, next.status]).toEqual([200, 200]);
    expect(agent.requests).toHaveLength(2);
    await agent.stop();
  });

  test("when the agents' node is killed, asks without a first byte move and streams that have begun end in band", async () => {
    const scene = await start();
    const agent = await scene.join((ask, own) => {
      own.say({ type: "accept", ask: ask.ask });
      if (ask.stream) own.say({ type: "delta", ask: ask.ask, data: chunk("begun") });
    });
    const whole = post(scene, scene.a, "/v1/chat/completions", QUESTION);
    const stream = await post(scene, scene.a, "/v1/chat/completions", { ...QUESTION, stream: true });
    const text = stream.text();
    await agent.next("ask");
    await agent.next("ask");
    scene.b.kill("SIGKILL");
    await scene.b.exited;
    const other = await connectV2Agent(scene.a.url, { hello: HELLO, onAsk: answer });
    expect((await whole).status).toBe(200);
    expect(await text).toMatch(/begun[\s\S]*"error"/);
    other.stop();
  });
});
