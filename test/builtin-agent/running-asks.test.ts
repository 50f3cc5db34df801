import { describe, expect, test } from "bun:test";
import { type AgentServerOptions, startAgentServer } from "../support/agent-server.ts";
import { chooseSeed } from "../support/random.ts";
import { longAnswer, MALFORMED_EVENTS } from "../support/upstream/fault-content.ts";
import { shareFaultUpstream } from "../support/upstream/start.ts";
import { chat, startBuiltinAgent, textOf } from "./start.ts";

const upstream = shareFaultUpstream();
const seed = chooseSeed();

async function connect(options: AgentServerOptions & { slots?: number } = {}) {
  const server = startAgentServer(options);
  const builtin = startBuiltinAgent(server, { upstream: upstream().url, slots: options.slots ?? 4 });
  const agent = await server.next();
  // By now the agent has checked the upstream, and its requests count too.
  await upstream().reset();
  return { builtin, agent };
}
const allOver = () => upstream().openUntil(({ open }) => open === 0);

describe("a streamed answer", () => {
  test("a streamed answer arrives unchanged, with the upstream's usage", async () => {
    const { agent } = await connect();
    const question = 'naïve  "日本語"\n\ndata: x 👩‍🔬 ';
    agent.ask({ ask: "1", body: chat("echo", question, { stream_options: { include_usage: true } }) });
    const answer = await agent.answer("1");
    expect(textOf(answer)).toBe(question);
    expect(answer.deltas.at(-1)?.data).toBe("[DONE]");
    // The first delta implies it.
    expect(answer.accepts).toBe(0);
    expect(answer.end).toMatchObject({
      type: "done",
      status: 200,
      usage: { completion_tokens: expect.any(Number) },
    });
    expect(answer.end).not.toHaveProperty("body");
  });

  test("a streamed answer has no usage if the upstream gave none", async () => {
    const { agent } = await connect();
    agent.ask({ ask: "1", body: chat("echo", "a b") });
    expect((await agent.answer("1")).end).toEqual({ type: "done", ask: "1", status: 200 });
  });

  test(`a long streamed answer arrives unchanged (SEED=${seed})`, async () => {
    const { agent } = await connect();
    const size = 300_000;
    agent.ask({ ask: "1", body: chat("long", "", { seed, size }) });
    expect(textOf(await agent.answer("1"))).toBe(longAnswer(seed, size));
  });

  test(`an unusual but valid stream arrives as the standard says, with event names (SEED=${seed})`, async () => {
    const { agent } = await connect();
    agent.ask({ ask: "1", body: chat("malformed", "", { seed }) });
    const { deltas, end } = await agent.answer("1");
    expect(deltas.map(({ data, event }) => ({ data, ...(event && { event }) }))).toEqual([
      ...MALFORMED_EVENTS,
    ]);
    expect(end.type).toBe("done");
  });

  test("a stream of responses has event names, and the usage of its last event", async () => {
    const { agent } = await connect();
    const body = JSON.stringify({ model: "echo", stream: true, input: "one two" });
    agent.ask({ ask: "1", endpoint: "responses", body });
    const { deltas, end } = await agent.answer("1");
    expect(deltas.at(-1)?.event).toBe("response.completed");
    expect(end).toMatchObject({ type: "done", usage: { prompt_tokens: expect.any(Number) } });
  });

  test.each(["dies", "ends-early"])(
    "a stream that breaks off (%s) is a failure that is not retryable",
    async (model) => {
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
    },
  );

  test("a stream that ends with an error event arrives unchanged", async () => {
    const { agent } = await connect();
    agent.ask({ ask: "1", body: chat("error-event", "one two") });
    const { deltas, end } = await agent.answer("1");
    expect(JSON.parse(deltas.findLast(({ data }) => data !== "[DONE]")?.data ?? "")).toHaveProperty("error");
    expect(end.type).toBe("done");
  });

  test("a server that takes lists gets the small frames of a turn in one message, in order", async () => {
    const { agent } = await connect({ listLength: 16_384 });
    const size = 60_000;
    agent.ask({ ask: "1", body: chat("long", "", { seed, size }) });
    agent.ask({ ask: "2", body: chat("long-event", "", { size: 20_000 }) });
    expect(textOf(await agent.answer("1"))).toBe(longAnswer(seed, size));
    expect(textOf(await agent.answer("2"))).toBe(longAnswer(1, 20_000));
    expect(Math.max(...agent.lists)).toBeGreaterThan(5);
    await allOver();
  });

  test("an event is measured in bytes, not in characters", async () => {
    const { agent } = await connect({ frameBytesMax: 4096 });
    agent.ask({ ask: "1", body: chat("echo", "語".repeat(1400)) });
    expect((await agent.answer("1")).end).toMatchObject({ type: "fail", retryable: false });
  });

  test("an event that is larger than a frame may be fails its ask, and the next ask works", async () => {
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
  test("an answer that is not streamed has status, body and usage", async () => {
    const { agent } = await connect();
    agent.ask({ ask: "1", stream: false, body: chat("echo", "a  b", { stream: false }) });
    const { deltas, end } = await agent.answer("1");
    expect(deltas).toEqual([]);
    expect(end).toMatchObject({ type: "done", status: 200, usage: { prompt_tokens: expect.any(Number) } });
    const body = JSON.parse((end.type === "done" && end.body) || "");
    expect(body.choices[0].message.content).toBe("a  b");
  });

  test("an answer that is not streamed is sent even if a stream was asked for", async () => {
    const { agent } = await connect();
    agent.ask({ ask: "1", body: chat("not-sse", "words") });
    const { deltas, end } = await agent.answer("1");
    expect(deltas).toEqual([]);
    expect(end).toMatchObject({ type: "done", status: 200, body: expect.stringContaining("words") });
  });

  test("an answer that is larger than a frame may be is a failure", async () => {
    const { agent } = await connect({ frameBytesMax: 4096 });
    agent.ask({ ask: "1", stream: false, body: chat("long", "", { size: 5000, stream: false }) });
    expect((await agent.answer("1")).end).toMatchObject({ type: "fail", retryable: false });
  });
});

describe("a refusal by the upstream", () => {
  const refusal = async (model: string, more: Record<string, unknown> = {}) => {
    const { agent, builtin } = await connect();
    agent.ask({ ask: "1", body: chat(model, "q", more) });
    const { deltas, accepts, end } = await agent.answer("1");
    expect(deltas).toEqual([]);
    return { accepts, end, builtin };
  };

  test("an overloaded upstream is a retryable failure, with its own words and pause", async () => {
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
  ])("the refusal %s %j is retryable, and nothing was accepted", async (model, more, status) => {
    const { end, accepts } = await refusal(model, { ...more });
    expect(end).toMatchObject({ type: "fail", status, retryable: true });
    expect(accepts).toBe(0);
  });

  test.each<[string, object, number]>([
    ["bad-request", {}, 400],
    ["refuses", { status: 404 }, 404],
    ["refuses", { status: 422 }, 422],
  ])("the refusal %s %j is final, with its body", async (model, more, status) => {
    const { end } = await refusal(model, { ...more });
    expect(end).toMatchObject({ type: "done", status, body: expect.stringContaining('"error"') });
  });

  test("a refused key is a retryable failure that is logged and does not show the key", async () => {
    const { end, builtin } = await refusal("unauthorized");
    expect(end).toEqual({
      type: "fail",
      ask: "1",
      status: 401,
      retryable: true,
      error: { message: "the upstream refuses the agent's key" },
    });
    expect(builtin.logged()).toContain("upstream_key_refused");
  });

  test("a connection that is reset before the answer is a retryable failure", async () => {
    const { end, accepts } = await refusal("dies-first");
    expect(end).toMatchObject({
      type: "fail",
      retryable: true,
      error: { message: "the upstream did not respond: connection reset" },
    });
    expect(accepts).toBe(0);
  });
});

describe("an ask that is cancelled", () => {
  test.each(["never", "slow-head", "stalls", "slow-words"])(
    "a cancelled ask is aborted at the upstream: %s",
    async (model) => {
      const { agent } = await connect();
      agent.ask({ ask: "1", body: chat(model, "one two three four five six", { delay_ms: 5_000 }) });
      await upstream().openUntil(({ started }) => started === 1);
      agent.send({ type: "cancel", ask: "1" });
      expect(await upstream().openUntil(({ open }) => open === 0)).toMatchObject({ started: 1, aborted: 1 });
      agent.ask({ ask: "2", body: chat("echo", "next") });
      await agent.answer("2");
      expect(agent.frames.filter((frame) => frame.type === "done" || frame.type === "fail")).toHaveLength(1);
    },
  );

  test("an ask whose deadline passes ends silently, and one that has begun continues", async () => {
    const { agent } = await connect();
    agent.ask({ ask: "late", body: chat("never", "q"), deadline_ms: 150 });
    agent.ask({
      ask: "begun",
      body: chat("slow-words", "one two three", { delay_ms: 1_500 }),
      deadline_ms: 2_000,
    });
    expect(textOf(await agent.answer("begun"))).toBe("one two three");
    await allOver();
    expect(agent.frames.filter((frame) => "ask" in frame && frame.ask === "late")).toEqual([]);
  });

  test("an ask is aborted at the upstream if the server is gone", async () => {
    const { agent } = await connect();
    agent.ask({ ask: "1", body: chat("never", "q") });
    await upstream().openUntil(({ started }) => started === 1);
    agent.drop();
    expect(await allOver()).toMatchObject({ aborted: 1 });
  });
});

describe("slots", () => {
  test("an ask beyond the slots is refused, so that another agent can take it", async () => {
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

  test("all slots work at once, and the same ask sent twice runs once", async () => {
    const { agent } = await connect({ slots: 64 });
    for (let ask = 0; ask < 64; ask++) agent.ask({ ask: `${ask}`, body: chat("slow-first", `q ${ask}`) });
    agent.ask({ ask: "0", body: chat("slow-first", "q 0") });
    const answers = await Promise.all(Array.from({ length: 64 }, (_, ask) => agent.answer(`${ask}`)));
    expect(answers.map(textOf)).toEqual(Array.from({ length: 64 }, (_, ask) => `q ${ask}`));
    expect(await allOver()).toMatchObject({ started: 64, aborted: 0 });
  });
});
