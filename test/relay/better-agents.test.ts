import { describe, expect, test } from "bun:test";
import { AppError } from "../../src/errors.ts";
import type { Sent } from "../../src/relay/types.ts";
import { createRelayBench, settle } from "../support/relay.ts";
import { type FakeAgent, joinAgent } from "../support/transport.ts";

const V2 = { protocol: "v2", slots: 1 } as const;
const M = { model: "m" };

const counts = (...agents: FakeAgent[]) => agents.map(({ asks }) => asks.length);
const contents = ({ asks }: FakeAgent) => asks.map(({ content }) => content);
const keys = (...texts: string[]) => ({ affinity: { known: texts, kept: texts } });

describe("affinity", () => {
  test("an ask goes to the agent that answered the longest part of it, of this user", async () => {
    const { relay, ask } = createRelayBench();
    const one = joinAgent(relay, "one", V2);
    const two = joinAgent(relay, "two", V2);
    for (const [content, agent] of [
      ["a", one],
      ["b", two],
    ] as const) {
      const answered = ask(content, { ...M, ...keys(content) });
      agent.answer();
      await answered;
    }
    void ask("a, then more", { ...M, affinity: { known: ["none", "a", "b"], kept: [] } });
    expect(counts(one, two)).toEqual([1, 0]);
    one.answer();
    void ask("of another user", { ...M, user: "other", affinity: { known: ["a"], kept: [] } });
    expect(counts(one, two)).toEqual([0, 1]);
  });

  test("an ask waits for its busy agent for a second, then goes to another", async () => {
    const { relay, ask, clock } = createRelayBench();
    const own = joinAgent(relay, "own", V2);
    const answered = ask("a", { ...M, ...keys("a") });
    own.answer();
    await answered;
    const other = joinAgent(relay, "other", V2);
    void ask("busy", { ...M, prefer: "own" });
    const sent: Sent[] = [];
    void ask("a, again", { ...M, ...keys("a"), onSent: (one) => sent.push(one) });
    clock.advance(900);
    expect(counts(own, other)).toEqual([1, 0]);
    clock.advance(100);
    expect(contents(other)).toEqual(["a, again"]);
    expect(sent).toMatchObject([{ agentId: "other", tries: 1, queueMs: 1_000, isAffine: false }]);
  });

  test("an ask gets its agent if that has room within the second", async () => {
    const { relay, ask, clock } = createRelayBench();
    const own = joinAgent(relay, "own", V2);
    joinAgent(relay, "other", V2);
    void ask("busy", { ...M, prefer: "own" });
    const sent: Sent[] = [];
    void ask("next", { ...M, prefer: "own", onSent: (one) => sent.push(one) });
    clock.advance(500);
    own.answer();
    expect(contents(own)).toEqual(["next"]);
    expect(sent).toMatchObject([{ agentId: "own", queueMs: 500, isAffine: true }]);
    expect(clock.pending()).toBeGreaterThan(0);
  });

  test("a conversation goes on at an agent of a higher priority as soon as one has room", async () => {
    const { relay, ask, pass } = createRelayBench();
    const api = joinAgent(relay, "api", { ...V2, slots: 9 });
    const desktop = joinAgent(relay, "desktop", { ...V2, preference: { priority: 10 } });
    void ask("busy", M);
    void ask("first", { ...M, prefer: "api" });
    void ask("second", { ...M, prefer: "api" });
    expect([contents(desktop), contents(api)]).toEqual([["busy"], ["first", "second"]]);
    desktop.answer();
    await pass(8_000);
    void ask("third", { ...M, prefer: "api" });
    await settle();
    expect(contents(desktop)).toEqual(["third"]);
  });

  test("an agent that was not heard for a while is pinged and then gets its conversation", async () => {
    const { relay, ask, pass } = createRelayBench();
    const own = joinAgent(relay, "own", V2);
    const other = joinAgent(relay, "other", V2);
    await pass(8_000);
    void ask("next", { ...M, prefer: "own" });
    await settle();
    expect(counts(own, other)).toEqual([1, 0]);
  });

  test("an agent that fails, is paused or has left never holds an ask", async () => {
    const { relay, ask } = createRelayBench();
    const own = joinAgent(relay, "own", V2);
    const other = joinAgent(relay, "other", { ...V2, slots: 9 });
    void ask("refused", { ...M, prefer: "own" });
    const [{ slot = "" } = {}] = own.asks.splice(0);
    own.link.fail(slot, new AppError("agent_failed"), true);
    void ask("after a failure", { ...M, prefer: "own" });
    own.link.pause();
    void ask("while paused", { ...M, prefer: "own" });
    own.link.gone();
    void ask("when gone", { ...M, prefer: "own" });
    expect(contents(other)).toEqual(["refused", "after a failure", "while paused", "when gone"]);
  });

  test("an ask whose busy agent leaves, and that is then sent after a ping, is sent only once", async () => {
    const { relay, clock, ask, pass } = createRelayBench();
    const own = joinAgent(relay, "own", { ...V2, preference: { priority: 2 } });
    const better = joinAgent(relay, "better", { ...V2, slots: 9, preference: { priority: 1 } });
    const worse = joinAgent(relay, "worse", { ...V2, slots: 9 });
    await pass(8_000);
    void ask("busy", { ...M, prefer: "own" });
    await settle();
    own.link.accept(own.asks[0]?.slot ?? "");
    worse.link.pong();
    void ask("next", { ...M, prefer: "own" });
    own.link.gone();
    await settle();
    expect([contents(better), contents(worse)]).toEqual([["next"], []]);
    clock.advance(2_000);
    better.answer();
    clock.advance(2_000);
    expect([counts(better, worse), relay.stats().slots_in_use]).toEqual([[0, 0], 0]);
  });

  test("asks that wait for a busy agent go on when it leaves", async () => {
    const { relay, ask } = createRelayBench();
    const own = joinAgent(relay, "own", V2);
    const other = joinAgent(relay, "other", { ...V2, slots: 9 });
    for (const content of ["1", "2", "3"]) void ask(content, { ...M, prefer: "own" });
    own.link.gone();
    await settle();
    expect(contents(other).sort()).toEqual(["1", "2", "3"]);
  });
});

describe("models in memory", () => {
  test("an agent that has the model in memory comes before one that would have to load it", () => {
    const { relay, ask } = createRelayBench();
    const cold = joinAgent(relay, "cold", { ...V2, models: ["m", "n"], loaded: ["n"] });
    const warm = joinAgent(relay, "warm", { ...V2, models: ["m", "n"], loaded: ["m"] });
    void ask("q", M);
    expect(counts(cold, warm)).toEqual([0, 1]);
  });

  test("an ask waits a second for a model in memory before another agent has to load it", () => {
    const { relay, ask, clock } = createRelayBench();
    const cold = joinAgent(relay, "cold", { ...V2, models: ["m", "n"], loaded: ["n"] });
    const warm = joinAgent(relay, "warm", { ...V2, models: ["m", "n"], loaded: ["m"] });
    for (const content of ["1", "2", "3"]) void ask(content, M);
    expect(counts(cold, warm)).toEqual([0, 1]);
    warm.answer();
    expect(contents(warm)).toEqual(["2"]);
    clock.advance(1_000);
    expect(contents(cold)).toEqual(["3"]);
  });

  test("an agent goes on with its loaded model while asks for it wait, until others have waited for 10 s", async () => {
    const { relay, ask, clock } = createRelayBench();
    const agent = joinAgent(relay, "a", { ...V2, models: ["m", "n"], loaded: ["m"] });
    void ask("m0", { model: "m" });
    void ask("n", { model: "n", user: "other" });
    for (const content of ["m1", "m2", "m3"]) void ask(content, { model: "m" });
    agent.answer();
    expect(contents(agent)).toEqual(["m1"]);
    clock.advance(4_000);
    agent.answer();
    expect(contents(agent)).toEqual(["m2"]);
    clock.advance(6_500);
    agent.answer();
    expect(contents(agent)).toEqual(["n"]);
    agent.answer();
    // Its caller may ask again at once.
    clock.advance(1_000);
    expect(contents(agent)).toEqual(["m3"]);
  });

  test("an ask for a model that only a busy agent has loaded is not left behind by those for another model", () => {
    const { relay, ask, clock } = createRelayBench();
    const models = ["m", "n"];
    const slow = joinAgent(relay, "slow", { ...V2, models, loaded: ["m"] });
    const quick = joinAgent(relay, "quick", { ...V2, models, loaded: ["n"] });
    for (const content of ["m0", "m1"]) void ask(content, { model: "m" });
    void ask("n", { model: "n", user: "other" });
    let waitedMs = 0;
    for (; contents(quick)[0] !== "m1" && waitedMs < 60_000; waitedMs += 500) {
      void ask("n", { model: "n", user: "other" });
      clock.advance(500);
      quick.answer();
      slow.link.alive(slow.asks[0]?.slot ?? "");
    }
    expect(contents(slow)).toEqual(["m0"]);
    expect(waitedMs).toBe(10_000);
  });

  test("agents whose asks wait for equally long keep their models", () => {
    const { relay, ask, clock } = createRelayBench();
    const models = ["m", "n"];
    const agents = models.map((model) =>
      joinAgent(relay, `has ${model}`, { ...V2, models, loaded: [model] }),
    );
    for (let n = 0; n < 40; n++) for (const model of models) void ask(model, { model });
    for (let n = 0; n < 39; n++) {
      clock.advance(3_000);
      for (const agent of agents) agent.answer();
      expect(agents.map(contents)).toEqual([["m"], ["n"]]);
    }
  });
});

describe("speed", () => {
  test("an agent that was slow gets its share again as soon as one answer was fast", async () => {
    const { relay, ask, clock, pass } = createRelayBench();
    const fast = joinAgent(relay, "fast", V2);
    const other = joinAgent(relay, "other", V2);
    const answerIn = async (ms: number, prefer?: string) => {
      const answered = ask("q", { ...M, ...(prefer && { prefer }) });
      const agent = other.asks.length > 0 ? other : fast;
      clock.advance(ms);
      agent.answer();
      await answered;
      return agent.id;
    };
    for (let n = 0; n < 6; n++) for (const id of ["fast", "other"]) await answerIn(100, id);
    for (let n = 0; n < 15; n++) await answerIn(4_000, "other");
    const had: string[] = [];
    for (let n = 0; n < 100 && !had.includes("other"); n++) {
      await pass(2_000);
      had.push(await answerIn(100));
    }
    expect(had.length).toBeGreaterThan(4);
    expect(had.at(-1)).toBe("other");
    const after: string[] = [];
    for (let n = 0; n < 10; n++) after.push(await answerIn(100));
    expect(after.filter((id) => id === "other")).toHaveLength(5);
  });

  test("a slow agent that was not heard lately is pinged when it is to be tried again", async () => {
    const { relay, ask, clock, pass } = createRelayBench({ pingEveryMs: 600_000 });
    const fast = joinAgent(relay, "fast", V2);
    const slow = joinAgent(relay, "slow", V2);
    const answerIn = async (ms: number, prefer?: string) => {
      const answered = ask("q", { ...M, ...(prefer && { prefer }) });
      await settle();
      const agent = slow.asks.length > 0 ? slow : fast;
      clock.advance(ms);
      agent.answer();
      await answered;
      return agent.id;
    };
    for (let n = 0; n < 6; n++) for (const id of ["fast", "slow"]) await answerIn(100, id);
    for (let n = 0; n < 15; n++) await answerIn(4_000, "slow");
    const had: string[] = [];
    for (let n = 0; n < 450; n++) {
      await pass(100);
      had.push(await answerIn(100));
    }
    expect(had.slice(0, 100)).not.toContain("slow");
    expect(had).toContain("slow");
  });
});
