import { describe, expect, test } from "bun:test";
import { AppError } from "../../../src/errors.ts";
import { joinAgent } from "../../support/transport.ts";
import { createExchangeScene } from "./exchange-scene.ts";

/** Callers at node `a`, agents at `b`. */
function setUp(options?: Parameters<typeof createExchangeScene>[0]) {
  const scene = createExchangeScene(options);
  const [a, b] = [scene.add("a"), scene.add("b")];
  const join = (id: string, own: Parameters<typeof joinAgent>[2] = {}) =>
    joinAgent(b.relay, id, { protocol: "v2", ...own });
  return { ...scene, a, b, join };
}

describe("an ask at another node", () => {
  test("the caller gets the deltas in order and the answer, and the record names the node", async () => {
    const { a, join, pass } = setUp();
    const agent = join("x");
    await pass(50);
    const { outcome, deltas } = a.ask("q", { model: "m" });
    await pass(10);
    const [slot = ""] = agent.asks.map((ask) => ask.slot);
    agent.link.accept(slot);
    for (const data of ["1", "2", "3"]) agent.link.delta(slot, { data });
    agent.link.done(slot, { kind: "model", status: 200, body: undefined, usage: undefined });
    await pass(10);
    expect([await outcome, deltas]).toEqual(["200", ["1", "2", "3"]]);
    expect(a.records).toMatchObject([
      { requestId: "q", agent: "x", agentNode: "b", outcome: "ok", tries: 1 },
    ]);
    expect(a.exchange.stats()).toMatchObject({ lent: 1, triesLost: 0 });
  });

  test("a v1 agent gets the request as its own node would send it", async () => {
    const { a, join, pass } = setUp();
    const agent = join("x", { protocol: "v1" });
    await pass(50);
    const { outcome } = a.ask("q");
    await pass(10);
    agent.answer();
    await pass(10);
    expect(await outcome).toBe("echo: q");
  });

  test("a caller who leaves cancels it at a v2 agent, and not at a v1 agent", async () => {
    const { a, b, join, pass } = setUp();
    const [v1, v2] = [join("one", { protocol: "v1" }), join("two")];
    await pass(50);
    const caller = new AbortController();
    const { signal } = caller;
    const [first, second] = [a.ask("q", { signal }), a.ask("q", { signal, model: "m" })];
    await pass(10);
    caller.abort();
    await pass(10);
    expect([await first.outcome, await second.outcome]).toEqual(["caller_gone", "caller_gone"]);
    expect([v1.cancelled, v2.cancelled.length]).toEqual([[], 1]);
    expect(b.relay.stats().slots_in_use).toBe(1);
    v1.answer();
    await pass(10);
    expect(b.relay.stats().slots_in_use).toBe(0);
  });

  test("the failure of its agent reaches the caller unchanged", async () => {
    const { a, join, pass } = setUp();
    const agent = join("x");
    await pass(50);
    const { result } = a.ask("q", { model: "m" });
    const failed = result.catch((error: AppError) => error) as Promise<AppError>;
    await pass(10);
    const error = new AppError("agent_failed", {
      message: "other words",
      hint: "Do this.",
      param: "field",
      extra: { err: "the reason", response: { deep: [1] } },
      retryAfterMs: 1_234,
      upstream: { status: 429, body: '{"error":1}', type: "t", code: "c", headers: { "retry-after": "7" } },
      detail: "for the log",
    });
    agent.link.fail(agent.asks[0]?.slot ?? "", error, false);
    await pass(10);
    const { code, message, hint, param, extra, retryAfterMs, upstream, detail } = await failed;
    expect({ code, message, hint, param, extra, retryAfterMs, upstream, detail }).toEqual({
      ...{ code: error.code, message: error.message, hint: error.hint, param: error.param },
      ...{ extra: error.extra, retryAfterMs: error.retryAfterMs, upstream: error.upstream },
      detail: error.detail,
    });
  });

  test("an error code of a newer node becomes the failure of the agent", async () => {
    const { a, b, join, pass } = setUp();
    join("x");
    await pass(50);
    const { outcome } = a.ask("q", { model: "m" });
    await pass(10);
    const slot = a.frames("run")[0]?.slot ?? "";
    b.link.send("a", {
      ...{ kind: "fail", slot, error: { code: "constructor", message: "?" } },
      ...{ retryable: false, repeatable: false },
    });
    await pass(10);
    expect(await outcome).toBe("agent_failed");
  });

  test("an ask goes to another node if its agent cannot do it, and fails if no agent is left", async () => {
    const { a, add, join, pass } = setUp();
    const [first, c] = [join("x"), add("c")];
    await pass(50);
    const { outcome } = a.ask("q", { model: "m" });
    await pass(10);
    const second = joinAgent(c.relay, "y", { protocol: "v2" });
    await pass(50);
    first.link.fail(first.asks[0]?.slot ?? "", new AppError("agent_failed"), true);
    await pass(50);
    second.link.fail(second.asks[0]?.slot ?? "", new AppError("agent_failed"), true);
    await pass(50);
    expect(await outcome).toBe("agent_failed");
    expect([first.asks.length, second.asks.length]).toEqual([1, 1]);
    expect(a.records).toMatchObject([{ tries: 2, agentNode: "c" }]);
  });
});

describe("a node that is lost", () => {
  const start = async () => {
    const scene = setUp();
    const [first, c] = [scene.join("x"), scene.add("c")];
    await scene.pass(50);
    const asked = scene.a.ask("q", { model: "m" });
    await scene.pass(10);
    const second = joinAgent(c.relay, "y", { protocol: "v2" });
    await scene.pass(50);
    return { ...scene, ...asked, c, first, second, slot: first.asks[0]?.slot ?? "" };
  };

  test("an ask without a first byte moves, also if it was accepted", async () => {
    const { a, cluster, pass, first, second, slot, outcome } = await start();
    first.link.accept(slot);
    await pass(10);
    cluster.remove("b");
    await pass(50);
    second.answer();
    await pass(10);
    expect(await outcome).toBe("200");
    expect(a.exchange.stats().triesLost).toBe(1);
  });

  test("an ask that has begun fails", async () => {
    const { cluster, pass, first, slot, outcome, deltas } = await start();
    first.link.delta(slot, { data: "1" });
    await pass(10);
    cluster.remove("b");
    await pass(10);
    expect([await outcome, deltas]).toEqual(["agent_lost", ["1"]]);
  });

  test("the home cancels what ran for it, and its slots are free", async () => {
    const { cluster, pass, a, b, first } = await start();
    cluster.part("a", "b");
    await pass(10);
    expect(first.cancelled).toHaveLength(1);
    expect(b.relay.stats().slots_in_use).toBe(0);
    expect([a.exchange.stats().slots, b.exchange.stats().slots, b.exchange.stats().tickets]).toEqual([
      0, 0, 0,
    ]);
  });

  test("both begin anew after a reset, and late frames of before do no harm", async () => {
    const { cluster, pass, a, b, first, second, slot, outcome } = await start();
    cluster.reset("a", "b");
    first.link.delta(slot, { data: "late" });
    b.link.send("a", { kind: "delta", slot, data: "late" });
    await pass(50);
    for (const agent of [first, second]) for (const _ of [...agent.asks]) if (agent !== first) agent.answer();
    if (first.asks.length > 1) first.answer({ slot: first.asks[1]?.slot ?? "" });
    await pass(50);
    expect(await outcome).toBe("200");
    expect(a.relay.stats().frames_ignored).toBeGreaterThan(0);
  });
});

describe("a long stream", () => {
  const PART = "x".repeat(64 * 1024);

  test("a stream goes on as long as its deltas are confirmed", async () => {
    const { a, b, join, pass } = setUp({ limits: { frameBytesMax: 64 * 1024 ** 2 } });
    const agent = join("x");
    await pass(50);
    const { outcome, deltas } = a.ask("q", { model: "m" });
    await pass(10);
    const slot = agent.asks[0]?.slot ?? "";
    for (let count = 0; count < 320; count++) {
      agent.link.delta(slot, { data: PART });
      if (count % 32 === 0) await pass(3);
    }
    agent.link.done(slot, { kind: "model", status: 200, body: undefined, usage: undefined });
    await pass(10);
    expect([await outcome, deltas.length]).toEqual(["200", 320]);
    expect(a.frames("ack").length).toBe(80);
    expect(b.frames("delta").length).toBe(320);
  });

  test("a stream is cancelled as for a slow caller once more than 8 MB are not confirmed", async () => {
    const { a, b, join, pass } = setUp({ limits: { frameBytesMax: 64 * 1024 ** 2 } });
    const agent = join("x");
    await pass(50);
    const { outcome } = a.ask("q", { model: "m" });
    await pass(10);
    const slot = agent.asks[0]?.slot ?? "";
    for (let count = 0; count < 200; count++) agent.link.delta(slot, { data: PART });
    await pass(10);
    expect(await outcome).toBe("caller_gone");
    expect(agent.cancelled).toEqual([slot]);
    expect(b.frames("delta").length).toBe(128);
    expect([b.relay.stats().slots_in_use, b.exchange.stats().slots]).toEqual([0, 0]);
  });

  test("one node holds up 64 MB at most, over all its streams", async () => {
    const { a, b, join, pass } = setUp({ limits: { frameBytesMax: 64 * 1024 ** 2 } });
    const agent = join("x", { slots: 12 });
    await pass(50);
    const asked = Array.from({ length: 12 }, (_, index) => a.ask(`q${index}`, { model: "m" }));
    await pass(50);
    const slots = agent.asks.map(({ slot }) => slot);
    for (let count = 0; count < 100; count++)
      for (const slot of slots) agent.link.delta(slot, { data: PART });
    await pass(50);
    const lengths = b.frames("delta").length * PART.length;
    expect(lengths).toBeLessThanOrEqual(76 * 1024 ** 2);
    expect(agent.cancelled.length).toBeWithin(1, 6);
    for (const slot of slots)
      agent.link.done(slot, { kind: "model", status: 200, body: undefined, usage: undefined });
    await pass(50);
    const outcomes = await Promise.all(asked.map(({ outcome }) => outcome));
    expect(outcomes.filter((outcome) => outcome === "caller_gone")).toHaveLength(agent.cancelled.length);
  });
});

describe("a link that takes no more", () => {
  test("an ask whose request is not taken goes elsewhere, and its slot is returned", async () => {
    const { a, b, add, join, pass } = setUp();
    const [agent, c] = [join("x"), add("c")];
    await pass(50);
    let runs = 0;
    a.full.refuses = ({ kind }) => kind === "run" && runs++ === 0;
    const { outcome } = a.ask("q", { model: "m" });
    await pass(10);
    const other = joinAgent(c.relay, "y", { protocol: "v2" });
    await pass(50);
    for (const each of [agent, other]) if (each.asks.length > 0) each.answer();
    await pass(50);
    expect(await outcome).toBe("200");
    expect(a.frames("give").length).toBeGreaterThan(0);
    expect([b.relay.stats().slots_in_use, b.exchange.stats().slots]).toEqual([0, 0]);
  });

  test("an ask whose answer is not taken fails, and its slot is free", async () => {
    const { a, b, join, pass } = setUp();
    const agent = join("x");
    await pass(50);
    const { outcome } = a.ask("q", { model: "m" });
    await pass(10);
    b.full.refuses = (frame) =>
      frame.kind === "done" || (frame.kind === "fail" && frame.error.upstream !== undefined);
    agent.answer();
    await pass(10);
    expect(await outcome).toBe("agent_send_failed");
    const second = a.ask("q", { model: "m" });
    await pass(10);
    const error = new AppError("agent_failed", { upstream: { status: 500, body: "long" } });
    agent.link.fail(agent.asks[0]?.slot ?? "", error, false);
    await pass(10);
    expect(await second.outcome).toBe("agent_failed");
    expect([b.relay.stats().slots_in_use, b.exchange.stats().slots]).toEqual([0, 0]);
  });
});
