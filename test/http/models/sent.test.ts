import { describe, expect, onTestFinished, test } from "bun:test";
import { advanceUntil, createFakeClock } from "../../support/clock.ts";
import { type ModelScene, requestsOf, startModelScene } from "../../support/model-scene.ts";
import { anthropicAt, collect, openaiAt } from "../../support/sdks.ts";
import { ADMIN_KEY, startTestServer } from "../../support/server.ts";
import {
  type AskFrame,
  connectV2Agent,
  streamPieces,
  V2_HELLO,
  type V2Agent,
} from "../../support/v2-agent.ts";

const HELLO = [{ role: "user", content: "hi" }];
const ENDPOINTS = ["chat/completions", "completions"];

/** Answers as an upstream does that names no model of its own. */
function answer({ ask, stream }: AskFrame, agent: V2Agent): void {
  const choices = [{ index: 0, message: { role: "assistant", content: "Hello" }, finish_reason: "stop" }];
  if (stream) streamPieces(agent, ask, ["Hello"]);
  else agent.say({ type: "done", ask, status: 200, body: JSON.stringify({ choices }) });
}

/** Fails as an upstream does that cannot answer anybody. */
function fail({ ask }: AskFrame, agent: V2Agent): void {
  agent.say({ type: "fail", ask, status: 503, error: { message: "out of memory" }, retryable: true });
}

/** Starts a server with an agent for each model. */
async function scene(agents: Record<string, typeof answer>, flags: readonly string[] = []) {
  const server = await startTestServer(flags);
  const ids: Record<string, string> = {};
  const asked: string[] = [];
  for (const [model, onAsk] of Object.entries(agents)) {
    const hello = { ...V2_HELLO, models: [{ id: model }], endpoints: ENDPOINTS };
    const agent = await connectV2Agent(server.url, {
      hello,
      onAsk(ask, self) {
        asked.push(JSON.parse(ask.body).model);
        onAsk(ask, self);
      },
    });
    onTestFinished(agent.stop);
    ids[model] = agent.ready.agent;
  }
  const post = (path: string, body: object) =>
    fetch(server.url + path, {
      method: "POST",
      headers: { authorization: ADMIN_KEY },
      body: JSON.stringify(body),
    });
  return { server, ids, asked, post };
}

/** Returns the headers that name the agent. */
const sentHeaders = ({ headers }: Response) =>
  ["x-agent-id", "x-agent-name", "x-model", "x-tries", "x-affinity"].map((name) => headers.get(name));

/** Each route that asks, with its body. */
const SURFACES: [string, object][] = [
  ["/v1/chat/completions", { messages: HELLO }],
  ["/v1/completions", { prompt: "hi" }],
  ["/v1/responses", { input: "hi" }],
  ["/v1/messages", { messages: HELLO, max_tokens: 9 }],
  ["/api/ask", { content: "hi" }],
];

describe.each(SURFACES)("the answer of %s", (path, body) => {
  test.each([false, true])(
    "an answer names the agent, the model and the tries when its stream is %p",
    async (stream) => {
      const { ids, post } = await scene({ m: answer });
      const response = await post(path, { model: "m", stream, ...body });
      expect(response.status).toBe(200);
      expect(sentHeaders(response).slice(0, 4)).toEqual([ids["m"] ?? "", null, "m", "1"]);
      expect(response.headers.get("x-queue-ms")).toMatch(/^\d+$/);
      expect(response.headers.get("access-control-expose-headers")).toContain("x-agent-id");
      await response.text();
    },
  );

  test.each([false, true])(
    "an error names the agent that failed last when the stream is %p",
    async (stream) => {
      const { ids, post } = await scene({ m: fail });
      const response = await post(path, { model: "m", stream, ...body });
      expect(response.status).toBeGreaterThanOrEqual(500);
      expect(sentHeaders(response).slice(0, 4)).toEqual([ids["m"] ?? "", null, "m", "1"]);
    },
  );

  test.each([false, true])("another model answers after a failure when the stream is %p", async (stream) => {
    const { ids, asked, post } = await scene({ m: fail, n: fail, good: answer }, ["--fallback", "m=n,good"]);
    const response = await post(path, { model: "m", stream, ...body });
    expect(response.status).toBe(200);
    expect(sentHeaders(response).slice(0, 4)).toEqual([ids["good"] ?? "", null, "good", "3"]);
    expect(asked).toEqual(["m", "n", "good"]);
    if (/responses|messages/.test(path)) expect(await response.text()).toContain('"model":"good"');
    else await response.text();
  });

  test("a request that no agent was sent has none of the headers", async () => {
    const { post } = await scene({ m: answer });
    const response = await post(path, { model: "unknown", ...body });
    expect([response.status, ...sentHeaders(response)]).toEqual([404, null, null, null, null, null]);
  });
});

test("the fallbacks of a request are tried in its order, each with its own name in the body", async () => {
  const { asked, post } = await scene({ a: fail, b: fail, c: answer, d: answer }, ["--fallback", "a=d"]);
  const response = await post("/v1/chat/completions", {
    model: "a",
    messages: HELLO,
    models: ["a", "b", "c"],
  });
  expect([response.status, response.headers.get("x-model")]).toEqual([200, "c"]);
  expect(asked).toEqual(["a", "b", "c"]);
});

test("a tag of the request that no agent has is an error that names the tag", async () => {
  const { post, agent } = await startModelScene();
  const headers = { authorization: `Bearer ${ADMIN_KEY}`, "x-agent-tags": "gpu" };
  const response = await post("chat/completions", { model: "m", messages: HELLO }, { headers });
  expect([response.status, await response.text()]).toEqual([503, expect.stringContaining("gpu")]);
  expect(agent.frames.filter(({ type }) => type === "ask")).toEqual([]);
});

/** A server with one slot, which a request of the scene has. */
async function busyScene(): Promise<ModelScene & { ask: string; clock: ReturnType<typeof createFakeClock> }> {
  const clock = createFakeClock();
  const flags = ["--ping-every", "10m", "--queue-wait", "40s"];
  const scene = await startModelScene({ hello: { ...V2_HELLO, slots: 1 } }, flags, { clock });
  const busy = scene.post("chat/completions", { model: "m", messages: HELLO });
  const { ask } = await scene.agent.next("ask");
  onTestFinished(async () => {
    scene.agent.stop();
    await (await busy).text();
  });
  return { ...scene, ask, clock };
}

test.each([
  ["chat/completions", { messages: HELLO }, ": queued, 0 before you\n\n"],
  [
    "messages",
    { messages: HELLO, max_tokens: 9 },
    ': queued, 0 before you\nevent: ping\ndata: {"type":"ping"}\n\n',
  ],
])(
  "a stream of %s that waits begins after 15 s with its place, and then names its agent",
  async (path, body, begin) => {
    const { server, agent, ask, clock } = await busyScene();
    const waiting = requestsOf(server).post(path, { model: "m", stream: true, ...body });
    const response = await advanceUntil(clock, waiting);
    expect([response.status, response.headers.get("x-agent-id")]).toEqual([200, null]);
    agent.say({ type: "done", ask, status: 200, body: "{}" });
    streamPieces(agent, (await agent.next("ask")).ask, ["Hello"]);
    const text = await response.text();
    expect(text).toStartWith(begin);
    expect(text).toMatch(new RegExp(`\n\n: agent=${agent.ready.agent} queue_ms=\\d+\n\n`));
    expect(text).toContain("Hello");
  },
);

test("the official packages read streams with a place in the queue and the name of the agent", async () => {
  const { server, agent, ask, clock } = await busyScene();
  const address = { baseURL: `${server.url}/v1`, apiKey: ADMIN_KEY };
  const messages = [{ role: "user" as const, content: "hi" }];
  const chat = openaiAt(address).chat.completions.create({ model: "m", messages, stream: true });
  const message = anthropicAt(address).messages.stream({ model: "m", max_tokens: 9, messages });
  const responding = openaiAt(address).responses.stream({ model: "m", input: "hi" });
  const chunks = await advanceUntil(clock, chat);
  await advanceUntil(clock, message.withResponse());
  agent.say({ type: "done", ask, status: 200, body: "{}" });
  for (let left = 3; left > 0; left--) streamPieces(agent, (await agent.next("ask")).ask, ["Hello"]);
  const texts = (await collect(chunks)).map(({ choices }) => choices[0]?.delta.content ?? "");
  expect(texts.join("")).toBe("Hello");
  expect(await message.finalText()).toBe("Hello");
  expect((await responding.finalResponse()).output_text).toBe("Hello");
});
