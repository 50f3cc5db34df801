import { describe, expect, test } from "bun:test";
import { createEcho } from "../../src/builtin-agent/echo.ts";
import { type AgentServerOptions, startAgentServer } from "../support/agent-server.ts";
import { chooseSeed } from "../support/random.ts";
import { longAnswer, MALFORMED_EVENTS } from "../support/upstream/fault-content.ts";
import { shareFaultUpstream } from "../support/upstream/start.ts";
import { chat, startTestBridge, textOf } from "./start.ts";

const upstream = shareFaultUpstream();
const seed = chooseSeed();

async function connect(options: AgentServerOptions & { slots?: number } = {}) {
  const server = startAgentServer(options);
  const bridge = startTestBridge(server, { upstream: upstream().url, slots: options.slots ?? 4 });
  const agent = await server.next();
  // By now the agent has asked the upstream what it has, which counts too.
  await upstream().reset();
  return { bridge, agent };
}
const allOver = () => upstream().openUntil(({ open }) => open === 0);

describe("a streamed answer", () => {
  test("comes letter for letter, after one accept, with the upstream's usage", async () => {
    const { agent } = await connect();
    const question = 'naïve  "日本語"\n\ndata: x 👩‍🔬 ';
    agent.ask({ ask: "1", body: chat("echo", question, { stream_options: { include_usage: true } }) });
    const answer = await agent.answer("1");
    expect(textOf(answer)).toBe(question);
    expect(answer.deltas.at(-1)?.data).toBe("[DONE]");
    expect(answer.accepts).toBe(1);
    expect(agent.frames[0]).toEqual({ type: "accept", ask: "1" });
    expect(answer.end).toMatchObject({
      type: "done",
      status: 200,
      usage: { completion_tokens: expect.any(Number) },
    });
    expect(answer.end).not.toHaveProperty("body");
  });

  test("has no usage where the upstream gave none", async () => {
    const { agent } = await connect();
    agent.ask({ ask: "1", body: chat("echo", "a b") });
    expect((await agent.answer("1")).end).toEqual({ type: "done", ask: "1", status: 200 });
  });

  test(`of any bytes is the same here (seed ${seed})`, async () => {
    const { agent } = await connect();
    const size = 300_000;
    agent.ask({ ask: "1", body: chat("long", "", { seed, size }) });
    expect(textOf(await agent.answer("1"))).toBe(longAnswer(seed, size));
  });

  test(`that breaks every habit comes as the rules have it, names too (seed ${seed})`, async () => {
    const { agent } = await connect();
    agent.ask({ ask: "1", body: chat("malformed", "", { seed }) });
    const { deltas, end } = await agent.answer("1");
    expect(deltas.map(({ data, event }) => ({ data, ...(event && { event }) }))).toEqual([
      ...MALFORMED_EVENTS,
    ]);
    expect(end.type).toBe("done");
  });

  test("of responses has their names, and the usage of the last event", async () => {
    const { agent } = await connect();
    const body = JSON.stringify({ model: "echo", stream: true, input: "one two" });
    agent.ask({ ask: "1", endpoint: "responses", body });
    const { deltas, end } = await agent.answer("1");
    expect(deltas.at(-1)?.event).toBe("response.completed");
    expect(end).toMatchObject({ type: "done", usage: { prompt_tokens: expect.any(Number) } });
  });

  test.each(["dies", "ends-early"])("that %s is a failure which nobody may retry", async (model) => {
    const { agent } = await connect();
    agent.ask({ ask: "1", body: chat(model, "one two", { chunks: 3 }) });
    const { deltas, end } = await agent.answer("1");
    expect(deltas.length).toBeGreaterThanOrEqual(3);
    expect(end).toEqual({
      type: "fail",
      ask: "1",
      retryable: false,
      error: { message: "the upstream ended its answer early" },
    });
  });

  test("that ends with an error event of the upstream is passed on as it is", async () => {
    const { agent } = await connect();
    agent.ask({ ask: "1", body: chat("error-event", "one two") });
    const { deltas, end } = await agent.answer("1");
    expect(JSON.parse(deltas.findLast(({ data }) => data !== "[DONE]")?.data ?? "")).toHaveProperty("error");
    expect(end.type).toBe("done");
  });

  test("is measured in bytes, not in letters", async () => {
    const { agent } = await connect({ frameBytesMax: 4096 });
    agent.ask({ ask: "1", body: chat("echo", "語".repeat(1400)) });
    expect((await agent.answer("1")).end).toMatchObject({ type: "fail", retryable: false });
  });

  test("whose one event is larger than a frame may be is a failure, and the next ask works", async () => {
    const { agent } = await connect({ frameBytesMax: 4096 });
    agent.ask({ ask: "1", body: chat("long-event", "", { size: 5000 }) });
    const { end } = await agent.answer("1");
    expect(end).toMatchObject({ type: "fail", retryable: false });
    agent.ask({ ask: "2", body: chat("echo", "still here") });
    expect(textOf(await agent.answer("2"))).toBe("still here");
    await allOver();
  });
});

describe("an answer that is not streamed", () => {
  test("comes whole, with status and usage", async () => {
    const { agent } = await connect();
    agent.ask({ ask: "1", stream: false, body: chat("echo", "a  b", { stream: false }) });
    const { deltas, end } = await agent.answer("1");
    expect(deltas).toEqual([]);
    expect(end).toMatchObject({ type: "done", status: 200, usage: { prompt_tokens: expect.any(Number) } });
    const body = JSON.parse((end.type === "done" && end.body) || "");
    expect(body.choices[0].message.content).toBe("a  b");
  });

  test("is passed on although a stream was asked for", async () => {
    const { agent } = await connect();
    agent.ask({ ask: "1", body: chat("not-sse", "words") });
    const { deltas, end } = await agent.answer("1");
    expect(deltas).toEqual([]);
    expect(end).toMatchObject({ type: "done", status: 200, body: expect.stringContaining("words") });
  });

  test("larger than a frame may be is a failure", async () => {
    const { agent } = await connect({ frameBytesMax: 4096 });
    agent.ask({ ask: "1", stream: false, body: chat("long", "", { size: 5000, stream: false }) });
    expect((await agent.answer("1")).end).toMatchObject({ type: "fail", retryable: false });
  });
});

describe("a refusal of the upstream", () => {
  const refusal = async (model: string, more: Record<string, unknown> = {}) => {
    const { agent, bridge } = await connect();
    agent.ask({ ask: "1", body: chat(model, "q", more) });
    const { deltas, accepts, end } = await agent.answer("1");
    expect(deltas).toEqual([]);
    return { accepts, end, bridge };
  };

  test("by overload is retryable, after the time it says, with its own words", async () => {
    const { end, accepts } = await refusal("rate-limited");
    expect(accepts).toBe(0);
    expect(end).toMatchObject({
      type: "fail",
      status: 429,
      retryable: true,
      retry_after_ms: 2000,
      error: { type: "rate_limit_error", code: "rate_limit_exceeded" },
      body: expect.stringContaining("rate_limit_exceeded"),
    });
  });

  test.each<[string, object, number]>([
    ["broken", {}, 500],
    ["broken-html", {}, 502],
    ["refuses", { status: 408 }, 408],
    ["refuses", { status: 409 }, 409],
    ["redirects", {}, 307],
  ])("%s %j is retryable, and nothing was accepted", async (model, more, status) => {
    const { end, accepts } = await refusal(model, { ...more });
    expect(end).toMatchObject({ type: "fail", status, retryable: true });
    expect(accepts).toBe(0);
  });

  test.each<[string, object, number]>([
    ["bad-request", {}, 400],
    ["refuses", { status: 404 }, 404],
    ["refuses", { status: 422 }, 422],
  ])("%s %j is final, with its body", async (model, more, status) => {
    const { end } = await refusal(model, { ...more });
    expect(end).toMatchObject({ type: "done", status, body: expect.stringContaining('"error"') });
  });

  test("of the agent's key is told as such, retryable, logged, and says nothing of the key", async () => {
    const { end, bridge } = await refusal("unauthorized");
    expect(end).toEqual({
      type: "fail",
      ask: "1",
      status: 401,
      retryable: true,
      error: { message: "the upstream refuses the agent's key" },
    });
    expect(bridge.logged()).toContain("upstream_key_refused");
  });

  test("without a word, the connection reset, is retryable", async () => {
    const { end, accepts } = await refusal("dies-first");
    expect(end).toMatchObject({
      type: "fail",
      retryable: true,
      error: { message: "the upstream does not answer: connection reset" },
    });
    expect(accepts).toBe(0);
  });
});

describe("an ask that nobody waits for", () => {
  test.each(["never", "slow-head", "stalls", "slow-words"])(
    "is aborted at the upstream: %s",
    async (model) => {
      const { agent } = await connect();
      agent.ask({ ask: "1", body: chat(model, "one two three four five six", { delay_ms: 400 }) });
      await upstream().openUntil(({ started }) => started === 1);
      agent.send({ type: "cancel", ask: "1" });
      expect(await upstream().openUntil(({ open }) => open === 0)).toMatchObject({ started: 1, aborted: 1 });
      agent.ask({ ask: "2", body: chat("echo", "next") });
      await agent.answer("2");
      expect(agent.frames.filter((frame) => frame.type === "done" || frame.type === "fail")).toHaveLength(1);
    },
  );

  test("because its deadline is over ends silently, and one that has begun goes on", async () => {
    const { agent } = await connect();
    agent.ask({ ask: "late", body: chat("never", "q"), deadline_ms: 150 });
    agent.ask({
      ask: "begun",
      body: chat("slow-words", "one two three", { delay_ms: 150 }),
      deadline_ms: 250,
    });
    expect(textOf(await agent.answer("begun"))).toBe("one two three");
    await allOver();
    expect(agent.frames.filter((frame) => "ask" in frame && frame.ask === "late")).toEqual([]);
  });

  test("because the server is gone is aborted at the upstream", async () => {
    const { agent } = await connect();
    agent.ask({ ask: "1", body: chat("never", "q") });
    await upstream().openUntil(({ started }) => started === 1);
    agent.drop();
    expect(await allOver()).toMatchObject({ aborted: 1 });
  });
});

describe("slots", () => {
  test("bound what runs at once: one more is refused as another agent's work", async () => {
    const { agent } = await connect({ slots: 2 });
    for (const ask of ["1", "2"]) agent.ask({ ask, body: chat("never", "q") });
    agent.ask({ ask: "3", body: chat("echo", "q") });
    expect((await agent.answer("3")).end).toMatchObject({
      type: "fail",
      retryable: true,
      error: { message: "the agent has no free slot" },
    });
    agent.send({ type: "cancel", ask: "1" });
    agent.ask({ ask: "4", body: chat("echo", "free again") });
    expect(textOf(await agent.answer("4"))).toBe("free again");
  });

  test("all run at once, and the same ask twice is one", async () => {
    const { agent } = await connect({ slots: 64 });
    for (let ask = 0; ask < 64; ask++) agent.ask({ ask: `${ask}`, body: chat("slow-first", `q ${ask}`) });
    agent.ask({ ask: "0", body: chat("slow-first", "q 0") });
    const answers = await Promise.all(Array.from({ length: 64 }, (_, ask) => agent.answer(`${ask}`)));
    expect(answers.map(textOf)).toEqual(Array.from({ length: 64 }, (_, ask) => `q ${ask}`));
    expect(await allOver()).toMatchObject({ started: 64, aborted: 0 });
  });
});

describe("the echo", () => {
  const ask = async (body: unknown, stream: boolean) => {
    const server = startAgentServer();
    startTestBridge(server, { upstream: createEcho() });
    const agent = await server.next();
    expect(agent.hello).toMatchObject({ models: [{ id: "echo" }], endpoints: ["chat/completions"] });
    agent.ask({ ask: "1", stream, body: JSON.stringify(body) });
    return agent.answer("1");
  };
  const messages = (content: unknown) => [
    { role: "user", content: "before" },
    { role: "assistant", content: "no" },
    { role: "user", content },
  ];

  test.each(["one", "  a\n\n b\tc ", "", "日本語 👩‍🔬"])(
    "streams %j word by word, every blank kept",
    async (text) => {
      const answer = await ask({ model: "echo", stream: true, messages: messages(text) }, true);
      expect(textOf(answer)).toBe(text);
      const events = answer.deltas.map(({ data }) => data);
      const chunks = events.slice(0, -1).map((data) => JSON.parse(data));
      expect(events.at(-1)).toBe("[DONE]");
      expect(chunks[0]).toMatchObject({
        object: "chat.completion.chunk",
        choices: [{ delta: { role: "assistant" } }],
      });
      expect(chunks.at(-1).choices[0]).toMatchObject({ delta: {}, finish_reason: "stop" });
      expect(answer.end).toEqual({ type: "done", ask: "1", status: 200 });
    },
  );

  test("answers whole where that is asked for, from the text parts", async () => {
    const parts = [{ type: "text", text: "a " }, { type: "image_url" }, { type: "text", text: "b" }];
    const { end } = await ask({ model: "echo", messages: messages(parts) }, false);
    const body = JSON.parse((end.type === "done" && end.body) || "");
    expect(body.choices[0].message).toMatchObject({ role: "assistant", content: "a b" });
    expect(end).not.toHaveProperty("usage");
  });

  test("finds fault with a request that has nothing to echo", async () => {
    const { end } = await ask({ model: "echo", messages: [] }, true);
    expect(end).toMatchObject({
      type: "done",
      status: 400,
      body: expect.stringContaining("invalid_request_error"),
    });
  });
});
