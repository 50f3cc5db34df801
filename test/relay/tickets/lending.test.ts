import { describe, expect, test } from "bun:test";
import { AppError } from "../../../src/errors.ts";
import { joinAgent } from "../../support/transport.ts";
import { ask, createBench, joinV2 } from "./bench.ts";

describe("tickets are placed by the rules for asks", () => {
  test("an ask goes only to agents of other nodes that have its tags", async () => {
    const { a, b, pass } = createBench();
    joinV2(b.relay, "plain");
    const tagged = joinV2(b.relay, "tagged", { preference: { tags: ["eu"] } });
    ask(b, "runs", { tags: [["eu"]] });
    const one = ask(a, "q", { tags: [["eu", "us"]] });
    await pass(5);
    expect(one.sent).toEqual([]);
    tagged.answer();
    await pass(5);
    expect(one.sent).toEqual(["tagged"]);
  });

  test("an agent's owner comes first, wherever the owner asks", async () => {
    const { a, b, pass } = createBench();
    const agent = joinV2(b.relay, "b1", { preference: { ownerId: "owner" } });
    ask(b, "runs");
    const near = ask(b, "near", { user: "u1" });
    const own = ask(a, "own", { user: "owner" });
    await pass(5);
    agent.answer();
    await pass(5);
    expect([own.sent, near.sent]).toEqual([["b1"], []]);
  });

  test("a class has its share of the turns on every node", async () => {
    const { a, b, pass } = createBench();
    const agent = joinV2(b.relay, "b1");
    ask(b, "runs");
    for (let count = 0; count < 9; count++) ask(b, `low ${count}`, { user: "u1", priority: "low" });
    for (let count = 0; count < 9; count++) ask(a, `high ${count}`, { user: "u2", priority: "high" });
    await pass(5);
    const order: string[] = [];
    for (let count = 0; count < 9; count++) {
      agent.answer();
      await pass(10);
      order.push(agent.asks[0]?.content.split(" ")[0] ?? "");
    }
    expect(order.filter((name) => name === "high").length).toBe(8);
  });

  test("asks of one user have their turns by age, wherever they arrived", async () => {
    const { a, b, pass } = createBench();
    const agent = joinV2(b.relay, "b1");
    ask(b, "runs");
    for (const [node, content] of [
      [a, "1"],
      [b, "2"],
      [a, "3"],
      [b, "4"],
    ] as const) {
      ask(node, content);
      await pass(10);
    }
    const order: string[] = [];
    for (let count = 0; count < 4; count++) {
      agent.answer();
      await pass(10);
      order.push(agent.asks[0]?.content ?? "");
    }
    expect(order).toEqual(["1", "2", "3", "4"]);
  });

  test("a ticket that comes late is placed among its user's asks by its age", async () => {
    const { a, b, pass, cluster } = createBench();
    const agent = joinV2(b.relay, "b1");
    ask(b, "runs");
    const noticeMs = () => 1;
    cluster.cut(a, b, noticeMs);
    await pass(5);
    ask(a, "older");
    await pass(100, 10);
    ask(b, "younger");
    cluster.meet(a, b);
    await pass(5);
    agent.answer();
    await pass(5);
    expect(agent.asks.map(({ content }) => content)).toEqual(["older"]);
  });

  test("a stale agent answers a ping before its slot is held for a ticket", async () => {
    const { a, b, pass } = createBench();
    const agent = joinV2(b.relay, "b1", { pongs: false });
    await pass(10_000, 1_000);
    const one = ask(a, "q");
    await pass(5);
    expect([agent.pings > 0, b.relay.stats().slots_in_use]).toEqual([true, 0]);
    agent.link.pong();
    await pass(5);
    expect(one.sent).toEqual(["b1"]);
  });

  test("an agent whose circuit is open gets no ticket, and its failure's words are nobody else's", async () => {
    const { a, b, pass } = createBench(2, { agentFailuresMax: 1 });
    const agent = joinV2(b.relay, "b1");
    const one = ask(a, "q", { user: "u1" });
    await pass(5);
    const upstream = { status: 500, body: "the words of the upstream" };
    agent.link.fail(agent.asks[0]?.slot ?? "", new AppError("agent_failed", { upstream }), true);
    await pass(5);
    expect(b.relay.circuitStats()).toMatchObject({ openings: 1 });
    const error = await b.relay
      .ask(
        {
          principal: { kind: "user", id: "u1" },
          work: { model: "m", requests: [{ endpoint: "chat/completions", stream: true, body: () => "" }] },
          origin: { requestId: "", surface: "" },
        },
        { aborted: false, addEventListener: () => {} },
      )
      .catch((thrown) => thrown);
    expect([error.code, error.upstream]).toEqual(["agent_failed", { status: 500, headers: {} }]);
    expect(one.sent).toEqual(["b1"]);
  });
});

describe("an ask that prefers an agent of another node", () => {
  test("the ask waits for that one rather than take an agent of its own node", async () => {
    const { a, b, pass } = createBench(2, { affinityWaitMs: 1_000 });
    joinV2(a.relay, "a1");
    const preferred = joinV2(b.relay, "b1");
    ask(b, "runs");
    const one = ask(a, "q", { prefer: "b1" });
    await pass(500, 50);
    expect(one.sent).toEqual([]);
    preferred.answer();
    await pass(5);
    expect(one.sent).toEqual(["b1"]);
    expect(a.asked.seek.map(({ pin }) => pin)).toEqual(["b1"]);
  });

  test("an ask is not sought elsewhere while it waits for a better agent of its own node", async () => {
    const { a, b, pass } = createBench(2, { affinityWaitMs: 1_000 });
    joinV2(a.relay, "a1");
    const far = joinV2(b.relay, "b1");
    ask(a, "runs");
    const one = ask(a, "q", { prefer: "a1" });
    await pass(950, 50);
    expect([a.asked.seek, one.sent]).toEqual([[], []]);
    await pass(100, 50);
    expect([one.sent, far.asks.length]).toEqual([["b1"], 1]);
  });

  test("the ask takes another when it has waited for affinityWaitMs", async () => {
    const { a, b, pass } = createBench(2, { affinityWaitMs: 1_000 });
    joinV2(a.relay, "a1");
    joinV2(b.relay, "b1");
    ask(b, "runs");
    const one = ask(a, "q", { prefer: "b1" });
    await pass(1_050, 50);
    expect(one.sent).toEqual(["a1"]);
    expect(b.relay.lendingStats().tickets).toBe(0);
  });

  test("the ask takes another at once when the other node is lost", async () => {
    const { a, b, pass, cluster } = createBench(2, { affinityWaitMs: 60_000 });
    joinV2(a.relay, "a1");
    joinV2(b.relay, "b1");
    ask(b, "runs");
    const one = ask(a, "q", { prefer: "b1" });
    await pass(5);
    cluster.cut(a, b, () => 10);
    await pass(20);
    expect(one.sent).toEqual(["a1"]);
  });

  test("the ask goes where its keys were answered before, though that is another node", async () => {
    const { a, b, c, pass } = createBench(3);
    const agents = [joinV2(b.relay, "b1"), joinV2(c.relay, "c1")];
    const affinity = { known: ["k"], kept: ["k"] };
    const sent: string[] = [];
    for (let count = 0; count < 4; count++) {
      const one = ask(a, `q${count}`, { affinity });
      await pass(10);
      agents.find(({ asks }) => asks.length > 0)?.answer();
      await pass(10);
      sent.push(...one.sent);
    }
    expect(new Set(sent).size).toBe(1);
    expect(sent.length).toBe(4);
  });
});

describe("asks and agents of other nodes", () => {
  test("the end of a user's asks at one node leaves those of other nodes alone", async () => {
    const { a, b, pass } = createBench();
    joinV2(b.relay, "b1");
    const runs = ask(a, "runs");
    const waits = ask(a, "waits");
    await pass(5);
    b.relay.cancelUser("u");
    expect(b.relay.openUserAsks()).toEqual([]);
    await pass(5);
    expect([runs.outcome, waits.outcome]).toEqual(["open", "open"]);
    a.relay.cancelUser("u");
    await pass(5);
    expect([runs.outcome, waits.outcome]).toEqual(["key_unknown", "key_unknown"]);
    expect(b.relay.stats()).toMatchObject({ slots_in_use: 0 });
    expect(b.relay.lendingStats()).toMatchObject({ tickets: 0, slotsLent: 0 });
  });

  test("a node knows the models and agents of the others", () => {
    const { a, b } = createBench();
    joinV2(b.relay, "b1", { models: ["m"] });
    joinAgent(b.relay, "v1", { models: ["old"] });
    expect([a.relay.offersModel("m"), a.relay.knowsModel("m"), a.relay.offersModel("x")]).toEqual([
      true,
      true,
      false,
    ]);
    expect([a.relay.hasV1Agent("old"), a.relay.hasV1Agent("m")]).toEqual([true, false]);
    expect([a.relay.isConnected("b1"), a.relay.isConnected("x")]).toEqual([true, false]);
    const request = { endpoint: "chat/completions", stream: true, body: () => "" } as const;
    expect(a.relay.canDo({ model: "m", requests: [request] })).toBe(true);
    expect(a.relay.models().map(({ id }) => id)).toEqual(["m", "old"]);
  });

  test("the error names the model, not a lack of agents, when another node has agents", async () => {
    const { a, b } = createBench();
    const hintOf = async (model: string) => {
      const request = { endpoint: "chat/completions", stream: true, body: () => "" } as const;
      const origin = { requestId: "", surface: "" };
      const work = { model, requests: [request] };
      const asked = { principal: { kind: "user", id: "u" }, work, origin } as const;
      return a.relay.ask(asked, { aborted: false, addEventListener: () => {} }).catch(({ hint }) => hint);
    };
    expect(await hintOf("x")).toContain("No model is connected");
    joinV2(b.relay, "b1");
    expect(await hintOf("x")).toContain("No connected agent offers the model asked for");
  });

  test("the longest wait is that of an ask of the node itself", async () => {
    const { a, b, pass } = createBench();
    joinV2(b.relay, "b1");
    ask(b, "runs");
    ask(a, "far");
    await pass(1_000, 100);
    expect([a.relay.oldestWaitMs(), b.relay.oldestWaitMs()]).toEqual([1_000, undefined]);
    ask(b, "near");
    await pass(500, 100);
    expect([a.relay.oldestWaitMs(), b.relay.oldestWaitMs()]).toEqual([1_500, 500]);
  });

  test("an agent that is to go after its last ask goes once a held slot is returned", async () => {
    const { a, b, pass, delay } = createBench();
    const agent = joinV2(b.relay, "b1");
    const controller = new AbortController();
    delay.ms = 100;
    ask(a, "q", { signal: controller.signal });
    await pass(100, 10);
    expect(b.relay.disconnect("b1", { drain: true })).toBe("draining");
    controller.abort();
    await pass(500, 10);
    expect([agent.closed, agent.asks]).toEqual([["disconnected"], []]);
  });

  test("an ask waits no longer than its own node allows, and its ticket ends with it", async () => {
    const { a, b, pass } = createBench(2, { queueWaitMs: 10_000 });
    joinV2(b.relay, "b1", { slots: 1 });
    ask(b, "runs");
    const one = ask(a, "q");
    await pass(10_500, 500);
    expect(one.outcome).toBe("no_agent");
    expect(b.relay.lendingStats().tickets).toBe(0);
  });
});
