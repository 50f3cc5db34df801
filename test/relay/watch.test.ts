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

const MB = 1024 * 1024;

/** A v2 agent with a silent ask, which was just pinged and does not answer. */
async function startSilent(sentBytes = { total: 0, buffered: 0, read: 0 }) {
  const bench = createRelayBench();
  const agent = joinAgent(bench.relay, "a", { ...V2, pongs: false });
  agent.sentBytes = sentBytes;
  void bench.ask("q", { model: "m" });
  while (agent.pings === 0) await bench.pass(1_000);
  return { ...bench, agent };
}

test("an agent is not closed while its socket takes what was sent before the ping, and is once nothing moves", async () => {
  const { agent, pass } = await startSilent({ total: 12 * MB, buffered: 12 * MB, read: 0 });
  for (let second = 0; second < 120; second++) {
    agent.sentBytes = { total: 12 * MB, buffered: 12 * MB - second * 50_000, read: second * 50_000 };
    await pass(1_000);
  }
  expect([agent.pings, agent.closed]).toEqual([1, []]);
  await pass(10_000);
  expect(agent.closed).toEqual(["pong_missed"]);
});

test("an agent has time to read what its socket has taken, as on a slow line", async () => {
  const { agent, pass } = await startSilent();
  agent.sentBytes = { total: 2 * MB, buffered: 0, read: 0 };
  // 2 MB at 32 KB a second, and the 5 s for the pong.
  await pass(64_000);
  expect(agent.closed).toEqual([]);
  await pass(8_000);
  expect(agent.closed).toEqual(["pong_missed"]);
});

test("bytes that only the system has taken from a dead agent's ask do not keep the agent for long", async () => {
  const { agent, pass } = await startSilent();
  agent.sentBytes = { total: 500 * MB, buffered: 0, read: 0 };
  await pass(500_000);
  expect(agent.closed).toEqual([]);
  await pass(30_000);
  expect(agent.closed).toEqual(["pong_missed"]);
});

test("an agent that announces a large frame has time to send it", async () => {
  const { agent, pass } = await startSilent();
  agent.link.announced(2 * MB);
  await pass(60_000);
  expect(agent.closed).toEqual([]);
  await pass(12_000);
  expect(agent.closed).toEqual(["pong_missed"]);
});

test("a congested agent is closed after two minutes in which its socket took nothing, and not while it takes some", async () => {
  const { relay, pass } = createRelayBench();
  const agent = joinAgent(relay, "a", V2);
  agent.sentBytes = { total: 60 * MB, buffered: 50 * MB, read: 0 };
  agent.link.writable(false);
  for (let minute = 1; minute <= 10; minute++) {
    await pass(60_000);
    agent.sentBytes = { total: 60 * MB, buffered: 50 * MB - minute * MB, read: 0 };
  }
  expect(agent.closed).toEqual([]);
  await pass(119_000);
  expect(agent.closed).toEqual([]);
  await pass(10_000);
  expect(agent.closed).toEqual(["frames_dropped"]);
});
