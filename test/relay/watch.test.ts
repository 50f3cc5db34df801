import { expect, test } from "bun:test";
import { createRelayBench } from "../support/relay.ts";
import { joinAgent } from "../support/transport.ts";

const V2 = { protocol: "v2", slots: 4 } as const;

/** A v2 agent with an ask that it streams, a delta each second. */
function startStream(pongs: boolean) {
  const { relay, ask, clock } = createRelayBench();
  const agent = joinAgent(relay, "a", { ...V2, pongs });
  const answer = ask("q", { model: "m" });
  const slot = agent.asks[0]?.slot ?? "";
  const stream = async (seconds: number) => {
    for (let second = 0; second < seconds; second++) {
      clock.advance(1_000);
      agent.link.delta(slot, { data: "x" });
      await Promise.resolve();
    }
  };
  return { agent, answer, clock, stream };
}

test("a v2 agent that streams without a pause is pinged all the while, so that it hears from the server", async () => {
  const { agent, answer, stream } = startStream(true);
  await stream(100);
  expect(agent.pings).toBeGreaterThanOrEqual(3);
  expect(agent.closed).toEqual([]);
  agent.answer();
  expect(await answer).toBe("200");
});

test("an agent whose pong is late is not closed as long as its answer comes, and is once nothing comes", async () => {
  const { agent, clock, stream } = startStream(false);
  await stream(60);
  expect([agent.pings, agent.closed]).toEqual([1, []]);
  clock.advance(4_999);
  expect(agent.closed).toEqual([]);
  clock.advance(1);
  expect(agent.closed).toEqual(["pong_missed"]);
});

test("an idle v2 agent is pinged about every 30 s", async () => {
  const { relay, pass } = createRelayBench();
  const agent = joinAgent(relay, "a", V2);
  await pass(300_000);
  expect(agent.pings).toBeWithin(8, 11);
});
