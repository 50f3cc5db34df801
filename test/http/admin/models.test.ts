import { expect, test } from "bun:test";
import { ADMIN_KEY, startTestServer } from "../../support/server.ts";
import { until } from "../../support/until.ts";
import { addLimitedUser, callerOf } from "../../support/user-caller.ts";
import { connectV2Agent, streamPieces, V2_HELLO } from "../../support/v2-agent.ts";

const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/);
const COUNTS = { total: 0, ready: 0, full: 0, slow: 0, failing: 0, paused: 0, draining: 0, loaded: null };

// biome-ignore lint/suspicious/noExplicitAny: the tests look at what a response contains.
type Answer = any;

async function startScene(flags: string[] = []) {
  const server = await startTestServer(flags);
  const headers = { authorization: ADMIN_KEY };
  const get = async (path: string): Promise<Answer> =>
    (await fetch(`${server.url}/admin/models${path}`, { headers })).json();
  const chat = (model: string, fields: object = {}, init: RequestInit = {}) =>
    fetch(`${server.url}/v1/chat/completions`, {
      ...{ method: "POST", headers, ...init },
      body: JSON.stringify({ model, messages: [{ role: "user", content: "hi" }], ...fields }),
    });
  const find = async (id: string, query = ""): Promise<Answer> =>
    (await get(query)).models.find((model: Answer) => model.id === id);
  return { server, get, chat, find };
}

test("GET /admin/models tells of each model who offers it, how these agents are, and its other names", async () => {
  const { server, get } = await startScene(["--model-alias", "fast=a,org/b:7b=a", "--fallback", "a=b,c"]);
  const a = {
    id: "a",
    loaded: true,
    context_length: 8192,
    owned_by: "us",
    capabilities: ["completion", "vision"],
  };
  const one = await connectV2Agent(server.url, { hello: { ...V2_HELLO, name: "one", models: [a] } });
  const two = await connectV2Agent(server.url, {
    hello: { ...V2_HELLO, name: "two", models: [{ id: "a", loaded: false }, { id: "org/b:7b" }] },
  });
  two.say({ type: "pause" });
  await until(async () => (await get("")).models[0].agents.paused === 1);
  const { from, to, models } = await get("");
  expect(Date.parse(to) - Date.parse(from)).toBeGreaterThanOrEqual(3_600_000);
  const nothing = {
    requests: {
      ...{ asks: 0, failed: 0, share: null, refused: 0 },
      ...{ first_byte_ms_p50: null, first_byte_ms_p95: null, tokens_per_second: null },
    },
    ...{ last_error: null, queue: { waiting: 0, oldest_wait_ms: null } },
  };
  expect(models).toEqual([
    {
      ...{ id: "a", offered_since: TIME, owned_by: "us", context_length: 8192 },
      ...{ input_modalities: ["text", "image"], capabilities: ["completion", "vision"] },
      ...{ aliases: ["fast", "org/b:7b"], replaced_by: null, fallbacks: ["b", "c"], ...nothing },
      agents: { ...COUNTS, total: 2, ready: 1, paused: 1, loaded: 1 },
      agent_list: [
        { id: two.ready.agent, name: "two", state: "paused", loaded: false, reason: null },
        { id: one.ready.agent, name: "one", state: "ready", loaded: true, reason: null },
      ],
    },
    {
      ...{ id: "org/b:7b", offered_since: TIME, owned_by: null, context_length: null },
      ...{ input_modalities: null, capabilities: null, aliases: [], replaced_by: "a", fallbacks: ["b", "c"] },
      ...nothing,
      agents: { ...COUNTS, total: 1, paused: 1, loaded: 0 },
      agent_list: [{ id: two.ready.agent, name: "two", state: "paused", loaded: false, reason: null }],
    },
  ]);
  expect(await get("/org/b:7b")).toEqual({ from: TIME, to: TIME, model: models[1] });
  expect(await get("/nope")).toMatchObject({ error: expect.stringContaining("does not exist") });
});

test("GET /admin/models counts the requests of the period, with the speed of streamed answers", async () => {
  const { server, chat, find } = await startScene();
  await connectV2Agent(server.url, {
    hello: { ...V2_HELLO, models: [{ id: "a" }, { id: "b" }] },
    async onAsk({ ask }, agent) {
      agent.say({ type: "delta", ask, data: JSON.stringify({ choices: [{ delta: { content: "one " } }] }) });
      await Bun.sleep(20);
      streamPieces(agent, ask, ["two ", "three"]);
    },
  });
  for (const model of ["a", "a", "a", "b"]) await (await chat(model, { stream: true })).text();
  const { requests } = await find("a");
  expect(requests).toMatchObject({ asks: 3, failed: 0, share: 0.75, refused: 0 });
  expect(requests.first_byte_ms_p95).toBeGreaterThanOrEqual(requests.first_byte_ms_p50);
  expect(requests.tokens_per_second).toBeGreaterThan(0);
  const weekAgo = new Date(Date.now() - 7 * 86_400_000).toISOString();
  expect((await find("b", `?from=${weekAgo}`)).requests).toMatchObject({ asks: 1, share: 0.25 });
});

test("an agent that fails with a model is failing for it, with the reason, and comes first", async () => {
  const { server, get, chat, find } = await startScene();
  const fail = { type: "fail", status: 503, error: { message: "secret words" }, retryable: true } as const;
  const bad = await connectV2Agent(server.url, {
    hello: { ...V2_HELLO, name: "zz bad" },
    onAsk: ({ ask }, agent) => agent.say({ ...fail, ask, retry_after_ms: 60_000 }),
  });
  expect((await chat("m")).status).toBeGreaterThanOrEqual(500);
  for (let index = 0; index < 6; index++)
    await connectV2Agent(server.url, { hello: { ...V2_HELLO, name: `good ${index}` } });
  const model = await find("m");
  const reason = "the upstream responded with status 503";
  expect(model.agents).toEqual({ ...COUNTS, total: 7, ready: 6, failing: 1 });
  expect(model.agent_list).toHaveLength(5);
  expect(model.agent_list[0]).toEqual({
    ...{ id: bad.ready.agent, name: "zz bad", state: "failing", loaded: null, reason },
  });
  expect(model.last_error).toEqual({ agent: { id: bad.ready.agent, name: "zz bad" }, reason, at: TIME });
  expect(model.requests).toMatchObject({ asks: 1, failed: 1, share: 1 });
  expect((await get("/m")).model.agent_list).toHaveLength(7);
});

test("GET /admin/models has what waits for a model, and full agents", async () => {
  const { server, chat, find } = await startScene();
  const agent = await connectV2Agent(server.url, { hello: { ...V2_HELLO, slots: 1 } });
  const abort = new AbortController();
  const answers = [1, 2, 3].map(() => chat("m", {}, { signal: abort.signal }).catch(() => undefined));
  await until(async () => (await find("m")).queue.waiting === 2);
  const model = await find("m");
  expect(model.agents).toMatchObject({ total: 1, full: 1 });
  expect(model.queue.oldest_wait_ms).toBeGreaterThanOrEqual(0);
  abort.abort();
  await Promise.all(answers);
  agent.stop();
});

test("models that were asked for and that no agent offers are listed, whatever names callers make up", async () => {
  const { server, chat, find, get } = await startScene();
  expect((await chat("before any agent")).status).toBe(503);
  const agent = await connectV2Agent(server.url);
  const ann = await callerOf(server.url, await addLimitedUser(server.url));
  for (const model of ["llama4", "llama4"]) expect((await ann.chat({ model })).status).toBe(404);
  expect((await chat("<script>")).status).toBe(404);
  for (let index = 0; index < 30; index++) await chat(`made-up-${index}`);
  expect(await find("llama4")).toMatchObject({
    ...{ offered_since: null, agents: COUNTS, agent_list: [] },
    requests: { asks: 0, failed: 0, refused: 2 },
  });
  const { models } = await get("");
  expect(models.map(({ id }: Answer) => id)).toContain("(no name)");
  expect(models.length).toBeLessThanOrEqual(22);
  expect((await get("/llama4")).model.requests.refused).toBe(2);
  const unknown = await fetch(`${server.url}/admin/models`, { headers: { authorization: "nobody" } });
  expect(unknown.status).toBe(401);
  agent.stop();
  await until(async () => (await find("m")) === undefined);
});
