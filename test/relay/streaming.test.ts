import { describe, expect, test } from "bun:test";
import { AppError } from "../../src/errors.ts";
import { createRelayBench, peek } from "../support/relay.ts";
import { type FakeAgent, joinAgent } from "../support/transport.ts";

const V2 = { protocol: "v2", slots: 2 } as const;
const failed = (retryAfterMs?: number) => new AppError("agent_failed", { retryAfterMs });
const slotOf = (agent: FakeAgent, index = 0) => agent.asks[index]?.slot ?? "none";

function finish(agent: FakeAgent, status = 200): void {
  const ask = agent.asks.shift();
  agent.link.done(ask?.slot ?? "none", { kind: "model", status, body: undefined, usage: undefined });
}

describe("a streamed answer", () => {
  test("a streamed answer reaches its caller delta by delta, in order, before the outcome", async () => {
    const { relay, ask } = createRelayBench();
    const agent = joinAgent(relay, "a", V2);
    const heard: string[] = [];
    const asked = ask("q", { model: "m", onDelta: ({ data }) => heard.push(data) });
    agent.link.accept(slotOf(agent));
    for (const data of ["1", "2", "3"]) agent.link.delta(slotOf(agent), { data });
    expect(heard).toEqual(["1", "2", "3"]);
    expect(await peek(asked)).toBe("open");
    finish(agent);
    expect(await asked).toBe("200");
  });

  test("a streamed answer may take an hour and more while deltas keep coming", async () => {
    const { relay, ask, clock, pass } = createRelayBench();
    const agent = joinAgent(relay, "a", V2);
    const asked = ask("q", { model: "m" });
    for (let minute = 0; minute < 30; minute++) {
      agent.link.delta(slotOf(agent), { data: "x" });
      await pass(59_999);
    }
    expect(agent.cancelled).toEqual([]);
    finish(agent);
    expect(await asked).toBe("200");
    agent.link.gone();
    expect(clock.pending()).toBe(0);
  });

  test("a streamed answer that is longer than the largest frame fails, and the agent gets a cancel", async () => {
    const { relay, ask, clock } = createRelayBench({ frameBytesMax: 1000 });
    const agent = joinAgent(relay, "a", V2);
    let heard = 0;
    const asked = ask("q", { model: "m", onDelta: () => heard++ });
    const next = ask("next", { model: "m" });
    const [slot, other] = [slotOf(agent), slotOf(agent, 1)];
    for (let n = 0; n < 20; n++) {
      agent.link.delta(slot, { data: "x".repeat(100) });
      agent.link.delta(other, { data: "x".repeat(50) });
    }
    expect(await asked).toBe("agent_answer_invalid");
    expect([heard, agent.cancelled]).toEqual([10, [slot]]);
    agent.link.done(other, { kind: "model", status: 200, body: undefined, usage: undefined });
    expect(await next).toBe("200");
    expect(relay.stats()).toMatchObject({ slots_in_use: 0, asks_running: 0 });
    agent.link.gone();
    expect(clock.pending()).toBe(0);
  });

  test("a streamed answer that pauses too long fails, and the agent gets a cancel", async () => {
    const { relay, ask, pass } = createRelayBench();
    const agent = joinAgent(relay, "a", V2);
    const asked = ask("q", { model: "m" });
    const slot = slotOf(agent);
    agent.link.delta(slot, { data: "x" });
    await pass(60_000);
    expect(await asked).toBe("agent_timeout");
    expect(agent.cancelled).toEqual([slot]);
    expect(relay.stats().slots_in_use).toBe(0);
  });

  test("a caller who has gone gets no more deltas, and the agent gets a cancel at once", async () => {
    const { relay, ask } = createRelayBench();
    const agent = joinAgent(relay, "a", { ...V2, slots: 1 });
    const caller = new AbortController();
    const heard: string[] = [];
    const onDelta = ({ data }: { data: string }) => heard.push(data);
    const asked = ask("gone", { model: "m", signal: caller.signal, onDelta });
    const next = ask("next", { model: "m" });
    const slot = slotOf(agent);
    agent.link.delta(slot, { data: "1" });
    caller.abort();
    agent.link.delta(slot, { data: "2" });
    expect(await asked).toBe("caller_gone");
    expect(heard).toEqual(["1"]);
    expect(agent.cancelled).toEqual([slot]);
    expect(agent.asks.at(-1)?.content).toBe("next");
    agent.asks.shift();
    finish(agent);
    expect(await next).toBe("200");
  });
});

describe("a retry", () => {
  test("an ask is retried when its agent is lost before it accepted", async () => {
    const { relay, ask } = createRelayBench();
    const [a, b] = [joinAgent(relay, "a", V2), joinAgent(relay, "b", V2)];
    const asked = ask("q", { model: "m" });
    a.link.gone();
    finish(b);
    expect(await asked).toBe("200");
  });

  test("an ask is not retried once its agent accepted, as the work could be done twice", async () => {
    const { relay, ask } = createRelayBench();
    const [a, b] = [joinAgent(relay, "a", V2), joinAgent(relay, "b", V2)];
    const asked = ask("q", { model: "m" });
    a.link.accept(slotOf(a));
    a.link.gone();
    expect(await asked).toBe("agent_lost");
    expect(b.asks.length).toBe(0);
  });

  test("an ask is retried when its agent allows that, even after it accepted, but not after the first delta", async () => {
    const { relay, ask } = createRelayBench();
    const [a, b] = [joinAgent(relay, "a", V2), joinAgent(relay, "b", V2)];
    const first = ask("1", { model: "m" });
    a.link.accept(slotOf(a));
    a.link.fail(slotOf(a), failed(), true);
    expect(b.asks.map(({ content }) => content)).toEqual(["1"]);
    b.link.delta(slotOf(b), { data: "x" });
    b.link.fail(slotOf(b), failed(), true);
    expect(await first).toBe("agent_failed");
  });

  test("an ask is not retried when its agent says that a retry is useless", async () => {
    const { relay, ask } = createRelayBench();
    const [a, b] = [joinAgent(relay, "a", V2), joinAgent(relay, "b", V2)];
    const asked = ask("q", { model: "m" });
    a.link.fail(slotOf(a), failed(), false);
    expect(await asked).toBe("agent_failed");
    expect(b.asks.length).toBe(0);
  });

  test("an ask is retried when its agent does not accept in time, and that agent gets a cancel", async () => {
    const { relay, ask, clock, pass } = createRelayBench();
    const a = joinAgent(relay, "a", V2);
    const asked = ask("q", { model: "m" });
    const slot = slotOf(a);
    await pass(119_999);
    const b = joinAgent(relay, "b", V2);
    clock.advance(1);
    expect(a.cancelled).toEqual([slot]);
    finish(b);
    expect(await asked).toBe("200");
  });

  test("an ask fails for good when its agent accepted and sent no first byte in time", async () => {
    const { relay, ask, clock, pass } = createRelayBench();
    const a = joinAgent(relay, "a", V2);
    const asked = ask("q", { model: "m" });
    a.link.accept(slotOf(a));
    await pass(119_999);
    const b = joinAgent(relay, "b", V2);
    clock.advance(1);
    expect(await asked).toBe("agent_timeout");
    expect(b.asks.length).toBe(0);
  });

  test("an agent that has just failed is the last choice for a moment", async () => {
    const { relay, ask, clock } = createRelayBench();
    const [a, b] = [joinAgent(relay, "a", V2), joinAgent(relay, "b", { ...V2, slots: 1 })];
    void ask("1", { model: "m" });
    a.link.fail(slotOf(a), failed(), true);
    a.asks.shift();
    finish(b);
    const contents = () => [a, b].map(({ asks }) => asks.map(({ content }) => content));
    void ask("2", { model: "m" });
    void ask("3", { model: "m" });
    expect(contents()).toEqual([["3"], ["2"]]);
    finish(a);
    finish(b);
    clock.advance(1_700);
    void ask("4", { model: "m" });
    expect(contents()).toEqual([["4"], []]);
  });
});

describe("choice", () => {
  test("an ask goes only to an agent that has its model", async () => {
    const { relay, ask } = createRelayBench();
    const small = joinAgent(relay, "small", { ...V2, models: ["small"] });
    const large = joinAgent(relay, "large", { ...V2, models: ["small", "large"] });
    for (const content of ["1", "2"]) void ask(content, { model: "large" });
    expect([small.asks.length, large.asks.length]).toEqual([0, 2]);
    expect(await ask("3", { model: "huge" })).toBe("no_agent");
  });

  test("an ask that waits for its model holds up no other ask, not even one of the same user", () => {
    const { relay, ask } = createRelayBench();
    const agent = joinAgent(relay, "a", { ...V2, slots: 1, models: ["large"] });
    const other = joinAgent(relay, "b", { ...V2, slots: 1, models: ["small"] });
    for (const content of ["1", "2", "3"]) void ask(content, { model: "large" });
    void ask("4", { model: "small" });
    expect([agent.asks.length, other.asks.length]).toEqual([1, 1]);
  });

  test("the conversation's own agent is preferred, and an ask waits for it for a second", () => {
    const { relay, ask, clock } = createRelayBench();
    const a = joinAgent(relay, "a", V2);
    const own = joinAgent(relay, "own", V2);
    for (let n = 0; n < 3; n++) void ask(`${n}`, { model: "m", prefer: "own" });
    expect([own.asks.length, a.asks.length]).toEqual([2, 0]);
    clock.advance(1_000);
    expect([own.asks.length, a.asks.length]).toEqual([2, 1]);
  });

  test("an agent gets as many asks as it has slots, and the rest wait", async () => {
    const { relay, ask } = createRelayBench();
    const agent = joinAgent(relay, "a", { ...V2, slots: 3 });
    const asks = ["1", "2", "3", "4"].map((content) => ask(content, { model: "m" }));
    expect(agent.asks.length).toBe(3);
    finish(agent);
    expect(agent.asks.length).toBe(3);
    for (let n = 0; n < 3; n++) finish(agent);
    expect(await Promise.all(asks)).toEqual(["200", "200", "200", "200"]);
  });

  test("v1 agents get no work for v2, nor the other way round", async () => {
    const { relay, ask } = createRelayBench();
    const old = joinAgent(relay, "old");
    expect(await ask("q", { model: "m" })).toBe("no_agent");
    const fresh = joinAgent(relay, "fresh", V2);
    void ask("for v2", { model: "m" });
    void ask("for v1");
    expect([old, fresh].map(({ asks }) => asks.map(({ content }) => content))).toEqual([
      ["for v1"],
      ["for v2"],
    ]);
  });
});

describe("an agent that changes", () => {
  test("a paused agent finishes what it has and gets nothing more, until it updates", async () => {
    const { relay, ask } = createRelayBench();
    const agent = joinAgent(relay, "a", V2);
    const first = ask("1", { model: "m" });
    agent.link.pause();
    const second = ask("2", { model: "m" });
    expect(agent.asks.length).toBe(1);
    finish(agent);
    expect(await first).toBe("200");
    expect(agent.asks.length).toBe(0);
    agent.link.update({});
    finish(agent);
    expect(await second).toBe("200");
  });

  test("additional slots are used at once, and fewer slots end no running ask", () => {
    const { relay, ask } = createRelayBench();
    const agent = joinAgent(relay, "a", { ...V2, slots: 1 });
    for (let n = 0; n < 4; n++) void ask(`${n}`, { model: "m" });
    agent.link.update({ slots: 3 });
    expect(agent.asks.length).toBe(3);
    agent.link.update({ slots: 1 });
    finish(agent);
    finish(agent);
    expect(agent.asks.length).toBe(1);
    finish(agent);
    expect(agent.asks.length).toBe(1);
  });

  test("an ask fails when no agent offers its model any more, and a new model is served at once", async () => {
    const { relay, ask } = createRelayBench();
    const agent = joinAgent(relay, "a", { ...V2, slots: 1, models: ["old"] });
    void ask("1", { model: "old" });
    const waiting = ask("2", { model: "old" });
    agent.link.update({ models: [{ id: "new" }] });
    expect(await waiting).toBe("no_agent");
    finish(agent);
    void ask("3", { model: "new" });
    expect(agent.asks.length).toBe(1);
  });

  test("a busy v2 agent is pinged too, as it can answer while it works", async () => {
    const { relay, ask, clock } = createRelayBench();
    const agent = joinAgent(relay, "a", { ...V2, pongs: false });
    const asked = ask("q", { model: "m" });
    agent.link.accept(slotOf(agent));
    for (let second = 0; second < 40; second++) clock.advance(1_000);
    expect(agent.closed).toEqual(["pong_missed"]);
    expect(await asked).toBe("agent_lost");
  });
});
