import { describe, expect, test } from "bun:test";
import { advanceUntil, createFakeClock } from "../../support/clock.ts";
import { type ModelScene, startModelScene } from "../../support/model-scene.ts";
import { anthropicAt, collect, openaiAt } from "../../support/sdks.ts";
import { ADMIN_KEY } from "../../support/server.ts";
import { chunk, connectV2Agent, streamPieces, V2_HELLO } from "../../support/v2-agent.ts";

const QUIET_MS = 15_000;
const COMMENT = ": keep-alive\n\n";
const PING = 'event: ping\ndata: {"type":"ping"}\n\n';
/** Time passes faster than agents can answer a ping. */
const NO_PINGS = ["--ping-every", "10m"];
const HELLO = [{ role: "user", content: "hi" }];

/** Each streamed surface with its body, and how it tells that it is alive and that it has failed. */
const SURFACES = [
  {
    path: "/v1/chat/completions",
    body: { messages: HELLO },
    keepAlive: COMMENT,
    failure: { error: { message: expect.stringContaining("out of memory"), code: "agent_error" } },
  },
  {
    path: "/v1/completions",
    body: { prompt: "hi" },
    keepAlive: COMMENT,
    failure: { error: { message: expect.stringContaining("out of memory"), code: "agent_error" } },
  },
  {
    path: "/v1/responses",
    body: { input: "hi" },
    keepAlive: COMMENT,
    failure: {
      type: "response.failed",
      response: { status: "failed", error: { message: expect.stringContaining("out of memory") } },
    },
  },
  {
    path: "/v1/messages",
    body: { max_tokens: 9, messages: HELLO },
    keepAlive: PING,
    failure: {
      type: "error",
      error: { type: "api_error", message: expect.stringContaining("out of memory") },
    },
  },
  {
    path: "/api/ask",
    body: { content: "hi" },
    keepAlive: COMMENT,
    failure: { error: expect.any(String), err: "out of memory" },
  },
];

const HELLO_WITH_COMPLETIONS = { ...V2_HELLO, endpoints: ["chat/completions", "completions"] };

/** A server whose time stands still, with an agent, and a streamed request that the agent has got. */
async function startRequest({ path, body }: Pick<(typeof SURFACES)[number], "path" | "body">) {
  const clock = createFakeClock();
  const scene = await startModelScene({ hello: HELLO_WITH_COMPLETIONS }, NO_PINGS, { clock });
  const asked = fetch(scene.server.url + path, {
    method: "POST",
    headers: { authorization: `Bearer ${ADMIN_KEY}` },
    body: JSON.stringify({ model: "m", stream: true, ...body }),
  });
  const { ask } = await scene.agent.next("ask");
  return { ...scene, clock, asked, ask };
}

/** Fails the ask for good, as an agent does whose upstream failed. */
const fail = ({ agent }: Pick<ModelScene, "agent">, ask: string, retryable = false) =>
  agent.say({ type: "fail", ask, status: 500, error: { message: "out of memory" }, retryable });

describe.each(SURFACES)("a streamed request of $path", ({ path, body, keepAlive, failure }) => {
  test("a request without an event gets its status and a keep-alive after 15 s, a further one every 15 s, and then its answer", async () => {
    const { clock, asked, ask, agent } = await startRequest({ path, body });
    clock.advance(QUIET_MS);
    const response = await asked;
    expect([response.status, response.headers.get("content-type")]).toEqual([
      200,
      "text/event-stream; charset=utf-8",
    ]);
    expect(response.headers.get("x-request-id")).toMatch(/^req_/);
    clock.advance(2 * QUIET_MS);
    streamPieces(agent, ask, ["late"]);
    const text = await response.text();
    expect(text.startsWith(keepAlive.repeat(3))).toBe(true);
    expect(text.slice(keepAlive.length * 3)).toContain("late");
  });

  test("a failure after the keep-alive is an event of the stream, in the style of the API", async () => {
    const { clock, asked, ask, agent } = await startRequest({ path, body });
    clock.advance(QUIET_MS);
    const response = await asked;
    fail({ agent }, ask);
    const text = await response.text();
    const last = text.trimEnd().split("data: ").at(-1) ?? "";
    expect(JSON.parse(last)).toMatchObject(failure);
    expect(text).not.toContain("[DONE]");
  });

  test("a failure before the keep-alive has its own status", async () => {
    const { clock, asked, ask, agent } = await startRequest({ path, body });
    clock.advance(QUIET_MS - 1);
    fail({ agent }, ask);
    expect((await asked).status).toBeGreaterThanOrEqual(500);
  });

  test("another agent answers when the first one fails after the keep-alive", async () => {
    const { clock, asked, ask, agent, server } = await startRequest({ path, body });
    const other = await connectV2Agent(server.url, { hello: HELLO_WITH_COMPLETIONS });
    clock.advance(QUIET_MS);
    const response = await asked;
    fail({ agent }, ask, true);
    streamPieces(other, (await other.next("ask")).ask, ["from another"]);
    const text = await response.text();
    expect(text).toContain("from another");
    expect(text).not.toContain("memory");
    other.stop();
  });
});

describe("an answer without a stream that comes after the keep-alive", () => {
  test.each([
    ["/v1/chat/completions", { messages: HELLO }, { error: { type: "invalid_request_error" } }],
    ["/v1/messages", { max_tokens: 9, messages: HELLO }, { error: { type: "invalid_request_error" } }],
    ["/v1/responses", { input: "hi" }, { response: { error: { code: "context_length_exceeded" } } }],
  ])("a refusal of the upstream is an event of the stream of %s", async (path, body, expected) => {
    const { clock, asked, ask, agent } = await startRequest({ path, body } as never);
    clock.advance(QUIET_MS);
    const response = await asked;
    const error = { message: "too long", type: "invalid_request_error", code: "context_length_exceeded" };
    agent.say({ type: "done", ask, status: 400, body: JSON.stringify({ error }) });
    const text = await response.text();
    expect(text).toContain("too long");
    expect(JSON.parse(text.trimEnd().split("data: ").at(-1) ?? "")).toMatchObject(expected);
  });

  test("a whole chat completion becomes events", async () => {
    const { clock, asked, ask, agent } = await startRequest({
      path: "/v1/chat/completions",
      body: { messages: HELLO },
    });
    clock.advance(QUIET_MS);
    const response = await asked;
    const choices = [{ index: 0, message: { role: "assistant", content: "whole" }, finish_reason: "stop" }];
    agent.say({ type: "done", ask, status: 200, body: JSON.stringify({ choices }) });
    const text = await response.text();
    expect(text).toContain('"content":"whole"');
    expect(text.endsWith("data: [DONE]\n\n")).toBe(true);
  });
});

test("a caller who leaves after the keep-alive cancels the request at the agent", async () => {
  const clock = createFakeClock();
  const { server, agent } = await startModelScene({}, NO_PINGS, { clock });
  const caller = new AbortController();
  const asked = fetch(`${server.url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${ADMIN_KEY}` },
    body: JSON.stringify({ model: "m", messages: HELLO, stream: true }),
    signal: caller.signal,
  });
  const { ask } = await agent.next("ask");
  clock.advance(QUIET_MS);
  await asked;
  caller.abort();
  expect((await agent.next("cancel")).ask).toBe(ask);
});

test("a whole completion that comes after the keep-alive becomes an event", async () => {
  const { clock, asked, ask, agent } = await startRequest({
    path: "/v1/completions",
    body: { prompt: "hi" },
  });
  clock.advance(QUIET_MS);
  const response = await asked;
  const whole = { object: "text_completion", choices: [{ index: 0, text: "Hi", finish_reason: "stop" }] };
  agent.say({ type: "done", ask, status: 200, body: JSON.stringify(whole) });
  const events = `data: ${JSON.stringify(whole)}\n\ndata: [DONE]\n\n`;
  expect(await response.text()).toBe(COMMENT + events);
});

test("the official packages read a stream that begins with keep-alives", async () => {
  const clock = createFakeClock();
  const { agent, server } = await startModelScene({}, NO_PINGS, { clock });
  const address = { baseURL: `${server.url}/v1`, apiKey: ADMIN_KEY };
  const answerLate = async () => {
    const { ask } = await agent.next("ask");
    clock.advance(2 * QUIET_MS);
    streamPieces(agent, ask, ["late"]);
  };
  const openai = openaiAt(address);
  const chat = openai.chat.completions.create({
    model: "m",
    messages: [{ role: "user", content: "hi" }],
    stream: true,
  });
  const [chunks] = await Promise.all([chat.then(collect), answerLate()]);
  expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? "").join("")).toBe("late");
  const response = openai.responses.stream({ model: "m", input: "hi" }).finalResponse();
  const [{ output_text: text }] = await Promise.all([response, answerLate()]);
  expect(text).toBe("late");
  const message = anthropicAt(address).messages.stream({
    ...{ model: "m", max_tokens: 9 },
    messages: [{ role: "user", content: "hi" }],
  });
  const [final] = await Promise.all([message.finalText(), answerLate()]);
  expect(final).toBe("late");
});

test("a request that waits for a free agent gets the keep-alive too, and the reason in the stream when the wait is over", async () => {
  const clock = createFakeClock();
  const scene = await startModelScene(
    { hello: { ...V2_HELLO, slots: 1 } },
    [...NO_PINGS, "--queue-wait", "40s"],
    {
      clock,
    },
  );
  const busy = scene.post("chat/completions", { model: "m", messages: HELLO, stream: true });
  const { ask } = await scene.agent.next("ask");
  const waiting = scene.post("chat/completions", { model: "m", messages: HELLO, stream: true });
  scene.agent.say({ type: "delta", ask, data: chunk("first") });
  await busy;
  const { headers } = await advanceUntil(clock, waiting);
  expect(headers.get("content-type")).toContain("text/event-stream");
  const text = await advanceUntil(
    clock,
    waiting.then((response) => response.text()),
  );
  expect(text).toContain("no_agent_available");
  scene.agent.say({ type: "done", ask, status: 200 });
  await (await busy).text();
});
