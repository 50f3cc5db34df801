import { describe, expect, test } from "bun:test";
import { ask, createBench, joinV2 } from "./bench.ts";

describe("a node that stops", () => {
  test("the node lends no more slots, finishes what runs in them, and keeps the tickets of its own asks", async () => {
    const { a, b, pass } = createBench();
    const agent = joinV2(b.relay, "b1", { slots: 2 });
    const busy = joinV2(a.relay, "a1", { models: ["n"] });
    ask(a, "runs", { model: "n" });
    const far = ask(a, "far");
    const own = ask(b, "own", { model: "n" });
    await pass(5);
    let isDrained = false;
    void b.relay.drain().then(() => {
      isDrained = true;
    });
    const late = ask(a, "late");
    await pass(5);
    expect([late.sent, b.relay.lendingStats().tickets]).toEqual([[], 0]);
    busy.answer();
    await pass(5);
    busy.answer();
    await pass(5);
    expect([own.outcome, isDrained]).toEqual(["200", false]);
    agent.answer();
    await pass(5);
    expect([far.outcome, isDrained]).toEqual(["200", true]);
  });

  test("the node waits for its own asks though tickets of others end", async () => {
    const { a, b, pass } = createBench();
    const agent = joinV2(b.relay, "b1");
    ask(b, "runs");
    ask(a, "waits");
    await pass(5);
    let isDrained = false;
    void b.relay.drain().then(() => {
      isDrained = true;
    });
    await pass(5);
    expect(isDrained).toBe(false);
    agent.answer();
    await pass(5);
    expect(isDrained).toBe(true);
  });

  test("the node gives up everything at its end: slots, tickets and the asks in them", async () => {
    const { a, b, pass } = createBench();
    const agent = joinV2(a.relay, "a1", { models: ["n"] });
    const other = joinV2(b.relay, "b1");
    const own = ask(a, "own");
    const far = ask(b, "far", { model: "n" });
    const waits = ask(b, "waits", { model: "n" });
    await pass(5);
    a.relay.close();
    expect(a.relay.lendingStats()).toMatchObject({ tickets: 0, slotsLent: 0, slotsBorrowed: 0 });
    await pass(5);
    expect([own.outcome, other.cancelled.length, agent.closed]).toEqual(["draining", 1, ["server_draining"]]);
    expect([far.outcome, waits.outcome]).toEqual(["open", "open"]);
    await pass(15_000, 1_000);
    expect([far.outcome, waits.outcome]).toEqual(["agent_lost", "no_agent"]);
  });
});
