import { describe, expect, test } from "bun:test";
import { AppError } from "../../src/errors.ts";
import { userPrincipal } from "../../src/principal.ts";
import type { AskRecord } from "../../src/relay/record.ts";
import { createRelayBench } from "../support/relay.ts";
import { joinAgent } from "../support/transport.ts";

function bench() {
  const records: AskRecord[] = [];
  return { ...createRelayBench({}, (record) => records.push(record)), records };
}

describe("the record of an ask", () => {
  test("the record of a streamed answer has the times in the queue, to the first byte and to the end, and the usage", async () => {
    const { relay, ask, clock, records } = bench();
    const agent = joinAgent(relay, "a", { protocol: "v2", slots: 1 });
    void ask("before", { model: "m" });
    clock.advance(0);
    const asked = ask("q", { model: "m", user: "ann" });
    clock.advance(100);
    agent.answer();
    clock.advance(200);
    const slot = agent.asks[0]?.slot ?? "";
    agent.link.delta(slot, { data: "12345" });
    clock.advance(300);
    agent.link.delta(slot, { data: "67" });
    const usage = { prompt_tokens: 3, completion_tokens: 2 };
    agent.link.done(slot, { kind: "model", status: 200, body: undefined, usage });
    await asked;
    expect(records[1]).toMatchObject({
      requestId: "req",
      surface: "test",
      principal: userPrincipal("ann"),
      agent: "a",
      model: "m",
      outcome: "ok",
      upstreamStatus: 200,
      tries: 1,
      queueMs: 100,
      firstByteMs: 300,
      durationMs: 600,
      deltas: 2,
      answerLength: 7,
      inputTokens: 3,
      outputTokens: 2,
    });
  });

  test("one record is made for each ask that was taken, whatever its outcome", async () => {
    const { relay, ask, clock, records } = bench();
    expect(await ask("nobody there")).toBe("no_agent");
    const agent = joinAgent(relay, "a");
    const caller = new AbortController();
    const gone = ask("gone", { signal: caller.signal });
    const waits = ask("waits");
    caller.abort();
    await gone;
    agent.answer();
    clock.advance(120_000);
    await waits;
    agent.link.gone();
    expect(records.map(({ outcome, tries }) => [outcome, tries])).toEqual([
      ["no_agent", 0],
      ["caller_gone", 1],
      ["agent_timeout", 1],
    ]);
    expect(records[0]).toMatchObject({ agent: undefined, firstByteMs: undefined, inputTokens: undefined });
  });

  test("the record has the model that the last agent was to use, not a fallback that no agent could try", async () => {
    const { relay, ask, records } = bench();
    const agent = joinAgent(relay, "a", { protocol: "v2", models: ["m"] });
    joinAgent(relay, "takes text only", { protocol: "v1", models: ["n"] });
    const asked = ask("q", { model: "m", fallbacks: ["n"] });
    agent.link.fail(agent.asks[0]?.slot ?? "", new AppError("agent_failed"), true);
    expect(await asked).toBe("agent_failed");
    expect(records).toMatchObject([{ agent: "a", model: "m", tries: 1 }]);
  });

  test("the record has the first tries that failed, in order, and the reason of the last one", async () => {
    const { relay, ask, clock, records } = bench();
    const agents = ["a", "b"].map((id) => joinAgent(relay, id, { protocol: "v2", models: ["m"] }));
    const asked = ask("q", { model: "m" });
    for (const err of ["no memory", "no\nluck"]) {
      clock.advance(5);
      const agent = agents.find(({ asks }) => asks.some(({ slot }) => slot !== undefined) && asks.length > 0);
      agents.splice(agents.indexOf(agent as never), 1);
      agent?.link.fail(agent.asks[0]?.slot ?? "", new AppError("agent_failed", { extra: { err } }), true);
    }
    expect(await asked).toBe("agent_failed");
    expect(records[0]?.error).toBe("The agent could not answer: no\\u000aluck");
    expect(records[0]?.failures?.map(({ sentAfterMs, error }) => [sentAfterMs, error])).toEqual([
      [0, "The agent could not answer: no memory"],
      [5, "The agent could not answer: no\\u000aluck"],
    ]);
  });

  test("the record names the agent that had the ask last, and counts the tries", async () => {
    const { relay, ask, records } = bench();
    const [a, b] = [joinAgent(relay, "a"), joinAgent(relay, "b")];
    const asked = ask("q");
    a.link.gone();
    b.answer();
    await asked;
    expect(records[0]).toMatchObject({ agent: "b", tries: 2, outcome: "ok" });
  });
});
