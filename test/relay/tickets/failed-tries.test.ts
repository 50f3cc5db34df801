import { describe, expect, test } from "bun:test";
import { AppError } from "../../../src/errors.ts";
import { joinAgent } from "../../support/transport.ts";
import { ask, createBench, joinV2 } from "./bench.ts";

describe("rule 6: a failed try goes again from the node of the ask", () => {
  test("an ask that was refused before its first byte goes to another agent of any node", async () => {
    const { a, b, c, pass, records } = createBench(3);
    const agent = joinV2(b.relay, "b1");
    const one = ask(a, "q");
    await pass(5);
    const other = joinV2(c.relay, "c1");
    agent.link.fail(agent.asks[0]?.slot ?? "", new AppError("agent_failed"), true);
    await pass(5);
    other.answer();
    await pass(5);
    expect(one).toMatchObject({ outcome: "200", agent: "c1", sent: ["b1", "c1"] });
    expect(records).toMatchObject([{ nodeId: "n1", record: { tries: 2, agent: "c1" } }]);
  });

  test("an ask that every agent of all nodes has refused fails, and leaves no ticket", async () => {
    const { a, b, pass } = createBench();
    const agents = [joinV2(a.relay, "a1"), joinV2(b.relay, "b1")];
    const one = ask(a, "q");
    for (const agent of agents) {
      agent.link.fail(agent.asks[0]?.slot ?? "", new AppError("agent_failed"), true);
      await pass(5);
    }
    expect(one).toMatchObject({ outcome: "agent_failed", sent: ["a1", "b1"] });
    expect([a.relay.waitingTickets(), b.relay.lendingStats().tickets]).toEqual([[], 0]);
  });

  test("an ask whose agent leaves its home is lost as at the own node, and may go to the agent again", async () => {
    const { a, b, pass } = createBench();
    const agent = joinV2(b.relay, "b1");
    const one = ask(a, "q");
    await pass(5);
    agent.link.gone();
    await pass(5);
    const again = joinV2(b.relay, "b1");
    await pass(5);
    again.answer();
    await pass(5);
    expect(one).toMatchObject({ outcome: "200", sent: ["b1", "b1"] });
  });

  test("asks of a lost node go again however often, if they have no first byte, though they were accepted", async () => {
    const { a, b, c, pass, cluster } = createBench(3);
    let agent = joinV2(b.relay, "b1");
    const one = ask(a, "q");
    for (let count = 1; count <= 5; count++) {
      const node = count % 2 === 1 ? b : c;
      await pass(5);
      agent.link.accept(agent.asks[0]?.slot ?? "");
      await pass(5);
      cluster.cut(a, node, () => 10);
      await pass(20);
      expect(agent.cancelled.length).toBe(1);
      agent.link.gone();
      cluster.meet(a, node);
      await pass(5);
      agent = joinV2(count % 2 === 1 ? c.relay : b.relay, "agent");
    }
    await pass(5);
    agent.answer();
    await pass(5);
    expect(one).toMatchObject({ outcome: "200", deltas: "q" });
    expect(one.sent.length).toBe(6);
  });

  test("an ask of a lost node that has begun fails, and its agent is free", async () => {
    const { a, b, pass, cluster } = createBench();
    const agent = joinV2(b.relay, "b1");
    const one = ask(a, "q");
    await pass(5);
    agent.link.delta(agent.asks[0]?.slot ?? "", { data: "begun" });
    await pass(5);
    cluster.cut(a, b, () => 10);
    await pass(20);
    expect(one).toMatchObject({ outcome: "agent_lost", deltas: "begun" });
    expect(b.relay.stats()).toMatchObject({ slots_in_use: 0 });
    expect(agent.cancelled.length).toBe(1);
  });

  test("a follow-up that was sent to a v1 agent of a lost node is not sent twice", async () => {
    const { a, b, pass, cluster } = createBench();
    const agent = joinAgent(b.relay, "v1");
    const one = ask(a, "q", { model: "", pin: "v1" });
    await pass(5);
    cluster.cut(a, b, () => 10);
    await pass(20);
    expect(one).toMatchObject({ outcome: "agent_lost", sent: ["v1"] });
    expect(b.relay.stats()).toMatchObject({ slots_in_use: 1 });
    agent.answer();
    expect(b.relay.stats()).toMatchObject({ slots_in_use: 0, answers_dropped: 1 });
  });

  test("a follow-up whose slot was lost before it was sent goes again", async () => {
    const { a, b, pass, delay } = createBench();
    const first = joinAgent(b.relay, "v1");
    delay.ms = 100;
    const one = ask(a, "q", { model: "", pin: "v1" });
    await pass(110, 10);
    first.link.gone();
    const again = joinAgent(b.relay, "v1");
    await pass(1_000, 50);
    expect(first.asks).toEqual([]);
    again.answer();
    await pass(500, 50);
    expect(one).toMatchObject({ outcome: "echo: q" });
  });
});

describe("rule 7: the home of an agent neither retries nor records", () => {
  test("the home writes no record, and its users' queue limits do not count tickets", async () => {
    const { a, b, pass, records } = createBench(2, { queueMax: 2, queueUserMax: 1 });
    const agent = joinV2(b.relay, "b1");
    ask(b, "runs");
    const far = ask(a, "far");
    await pass(5);
    const near = ask(b, "near");
    expect([far.outcome, near.outcome]).toEqual(["open", "open"]);
    expect(b.relay.stats()).toMatchObject({ asks_waiting: 1, asks_running: 1 });
    expect(b.relay.waitingAsks().length).toBe(1);
    expect(ask(b, "refused").outcome).toBe("open");
    await pass(5);
    agent.answer();
    await pass(5);
    agent.link.fail(agent.asks[0]?.slot ?? "", new AppError("agent_failed"), false);
    await pass(5);
    expect(far.outcome).toBe("agent_failed");
    const home = records.filter(({ nodeId }) => nodeId === "n2").map(({ record }) => record.requestId);
    expect(home.sort()).toEqual(["refused", "runs"]);
  });
});

describe("rule 8: both ends run the time limits", () => {
  test("an agent that is silent too long fails at its home, which counts it", async () => {
    const { a, b, pass } = createBench(2, { firstByteMs: 10_000, agentFailuresMax: 1 });
    const agent = joinV2(b.relay, "b1");
    const one = ask(a, "q");
    await pass(10_500, 500);
    expect(one.outcome).toBe("agent_timeout");
    expect(agent.cancelled.length).toBe(1);
    expect(b.relay.circuitStats()).toMatchObject({ openings: 1 });
    expect(a.relay.circuitStats()).toMatchObject({ openings: 0 });
  });

  test("a home that says nothing is given up by the node of the ask", async () => {
    const { a, b, pass, cluster } = createBench(2, { firstByteMs: 10_000 });
    joinV2(b.relay, "b1");
    const one = ask(a, "q");
    await pass(5);
    cluster.cut(a, b, () => 1e6);
    await pass(11_000, 500);
    expect(one.outcome).toBe("open");
    await pass(2_000, 500);
    expect(one.outcome).toBe("agent_timeout");
  });

  test("an ask that was accepted goes to no other agent when its home says nothing", async () => {
    const { a, b, pass, cluster } = createBench(2, { firstByteMs: 10_000 });
    const agent = joinV2(b.relay, "b1");
    const one = ask(a, "q");
    await pass(5);
    agent.link.accept(agent.asks[0]?.slot ?? "");
    await pass(5);
    cluster.cut(a, b, () => 1e6);
    joinV2(a.relay, "a1");
    await pass(13_000, 500);
    expect(one).toMatchObject({ outcome: "agent_timeout", sent: ["b1"] });
  });

  test("a v1 agent whose caller has gone is busy at its home until it answers, but not for the node of the ask", async () => {
    const { a, b, pass } = createBench();
    const agent = joinAgent(b.relay, "v1");
    const controller = new AbortController();
    ask(a, "q", { model: "", signal: controller.signal });
    await pass(5);
    controller.abort();
    await pass(5);
    expect(a.relay.lendingStats().slotsBorrowed).toBe(0);
    expect([b.relay.lendingStats().slotsLent, b.relay.stats().slots_in_use]).toEqual([0, 1]);
    agent.answer();
    await pass(5);
    expect([a.relay.stats().answers_dropped, b.relay.stats().answers_dropped]).toEqual([0, 1]);
    expect([a.relay.stats().frames_ignored, b.relay.stats().slots_in_use]).toEqual([0, 0]);
  });

  test("signs of life of the agent reach the node of the ask", async () => {
    const { a, b, pass } = createBench(2, { firstByteMs: 10_000 });
    const agent = joinV2(b.relay, "b1");
    const one = ask(a, "q");
    for (let count = 0; count < 5; count++) {
      await pass(8_000, 500);
      agent.link.alive(agent.asks[0]?.slot ?? "");
    }
    await pass(5);
    expect(one.outcome).toBe("open");
  });

  test("a frame for a slot that is not in use is ignored and counted", async () => {
    const { a, b, pass } = createBench();
    const agent = joinV2(b.relay, "b1");
    const controller = new AbortController();
    const one = ask(a, "q", { signal: controller.signal });
    await pass(5);
    const slot = agent.asks[0]?.slot ?? "";
    agent.link.delta(slot, { data: "late" });
    controller.abort();
    await pass(5);
    agent.link.delta(slot, { data: "later" });
    await pass(5);
    expect(one).toMatchObject({ outcome: "caller_gone", deltas: "" });
    expect(a.relay.stats().frames_ignored).toBe(1);
    expect(agent.cancelled).toEqual([slot]);
  });
});

describe("rule 9: the hope of an ask is the greater of its own node's and its peers'", () => {
  test("an ask for which no node has an agent ends at once, one for a busy agent of another node waits", async () => {
    const { a, b, pass } = createBench();
    const hopeless = ask(a, "q");
    await pass(5);
    expect(hopeless.outcome).toBe("no_agent");
    joinV2(b.relay, "b1");
    ask(b, "runs");
    const waits = ask(a, "q");
    await pass(30_000, 1_000);
    expect(waits.outcome).toBe("open");
  });

  test("the offer of a lost node counts as hope for the grace of a reconnection", async () => {
    const { a, b, pass, cluster } = createBench(2, { reconnectGraceMs: 10_000 });
    joinV2(b.relay, "b1");
    ask(b, "runs");
    const one = ask(a, "q");
    await pass(5);
    cluster.cut(a, b, () => 10);
    await pass(9_000, 100);
    expect(one.outcome).toBe("open");
    await pass(2_000, 100);
    expect(one.outcome).toBe("no_agent");
  });

  test("an agent of a lost node that connects to the node of the ask gets it", async () => {
    const { a, b, pass, cluster } = createBench(2, { reconnectGraceMs: 10_000 });
    joinV2(b.relay, "b1");
    const one = ask(a, "q");
    await pass(5);
    cluster.cut(a, b, () => 10);
    await pass(1_000, 100);
    const agent = joinV2(a.relay, "b1");
    agent.answer();
    await pass(5);
    expect(one).toMatchObject({ outcome: "200" });
  });

  test("a fallback model is used only when no node offers the model", async () => {
    const { a, b, pass } = createBench();
    const own = joinV2(a.relay, "a1", { models: ["other"] });
    const busy = joinV2(b.relay, "b1", { models: ["m"] });
    ask(b, "runs");
    const one = ask(a, "q", { fallbacks: ["other"] });
    await pass(5);
    expect([one.sent, own.asks.length]).toEqual([[], 0]);
    busy.link.gone();
    await pass(10_500, 500);
    expect(one.sent).toEqual(["a1"]);
  });
});
