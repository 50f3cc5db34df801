import { expect, test } from "bun:test";
import { principalOf } from "../../src/principal.ts";
import { createRelayBench, peek } from "../support/relay.ts";
import { type FakeAgent, joinAgent } from "../support/transport.ts";

const V2 = { protocol: "v2", slots: 2 } as const;
const slotOf = (agent: FakeAgent) => agent.asks[0]?.slot ?? "none";

test("signs of a living upstream extend the time for the first delta and for a pause, but not the whole time", async () => {
  const { relay, ask, clock, pass } = createRelayBench({ wholeStreamMs: 600_000 });
  const agent = joinAgent(relay, "a", V2);
  const asked = ask("q", { model: "m" });
  const slot = slotOf(agent);
  for (let minute = 0; minute < 4; minute++) {
    await pass(60_000);
    agent.link.alive(slot);
  }
  agent.link.delta(slot, { data: "x" });
  for (let part = 0; part < 11; part++) {
    await pass(30_000);
    agent.link.alive(slot);
  }
  expect(await peek(asked)).toBe("open");
  await pass(29_000);
  expect(await peek(asked)).toBe("open");
  await pass(1_000);
  expect(await asked).toBe("agent_timeout");
  expect(agent.cancelled).toEqual([slot]);
  agent.link.gone();
  expect(clock.pending()).toBe(0);
});

test("signs of a living upstream do not extend the time of an answer that is not streamed", async () => {
  const { relay, clock, pass } = createRelayBench({ wholeAnswerMs: 100_000 });
  const agent = joinAgent(relay, "a", V2);
  const request = { endpoint: "chat/completions", stream: false, body: () => "q" } as const;
  const work = { model: "m", requests: [request] };
  const origin = { requestId: "req", surface: "test" };
  const asked = relay.ask({ principal: principalOf("user"), work, origin }, new AbortController().signal);
  const failed = asked.catch(({ code }) => code);
  for (let second = 0; second < 100; second++) {
    agent.link.alive(slotOf(agent));
    await pass(1_000);
  }
  expect(await failed).toBe("agent_timeout");
  agent.link.gone();
  expect(clock.pending()).toBe(0);
});

test("a stream that dribbles for ever ends with its whole time", async () => {
  const { relay, ask, pass } = createRelayBench({ wholeStreamMs: 600_000 });
  const agent = joinAgent(relay, "a", V2);
  const asked = ask("q", { model: "m" });
  for (let part = 0; part < 19; part++) {
    agent.link.delta(slotOf(agent), { data: "x" });
    await pass(30_000);
  }
  expect(await peek(asked)).toBe("open");
  agent.link.delta(slotOf(agent), { data: "x" });
  await pass(30_000);
  expect(await asked).toBe("agent_timeout");
});

const ending = JSON.stringify({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }] });

test("an answer whose finish reason has come is a success 15 s later, whether or not its agent says so", async () => {
  const { relay, askWhole, clock, pass } = createRelayBench();
  const agent = joinAgent(relay, "a", V2);
  const asked = askWhole("q", { model: "m" });
  const slot = slotOf(agent);
  agent.link.delta(slot, { data: ending });
  await pass(14_000);
  const usage = { prompt_tokens: 3, completion_tokens: 2 };
  agent.link.delta(slot, { data: JSON.stringify({ choices: [], usage }) });
  await pass(14_000);
  expect(relay.stats().slots_in_use).toBe(1);
  await pass(1_000);
  expect(await asked).toMatchObject({
    agent: "a",
    model: "m",
    answer: { kind: "model", status: 200, body: undefined, usage },
  });
  expect([relay.stats().slots_in_use, agent.cancelled]).toEqual([0, [slot]]);
  agent.link.gone();
  expect(clock.pending()).toBe(0);
});

test("an answer of which another choice goes on has the time of any pause", async () => {
  const { relay, ask, pass } = createRelayBench();
  const agent = joinAgent(relay, "a", V2);
  const asked = ask("q", { model: "m" });
  const other = JSON.stringify({ choices: [{ index: 1, delta: { content: "x" }, finish_reason: null }] });
  for (const data of [other, ending]) agent.link.delta(slotOf(agent), { data });
  await pass(59_000);
  expect(await peek(asked)).toBe("open");
  await pass(1_000);
  expect(await asked).toBe("agent_timeout");
});

test("signs of a living upstream do not keep an answer open whose finish reason has come", async () => {
  const { relay, ask, pass } = createRelayBench();
  const agent = joinAgent(relay, "a", V2);
  const asked = ask("q", { model: "m" });
  agent.link.delta(slotOf(agent), { data: ending });
  for (let second = 0; second < 14; second++) {
    await pass(1_000);
    agent.link.alive(slotOf(agent));
  }
  expect(await peek(asked)).toBe("open");
  await pass(1_000);
  expect(await peek(asked)).toBe("200");
});

test("an answer whose next choice begins after the end of the one before has the time of any pause", async () => {
  const { relay, ask, pass } = createRelayBench();
  const agent = joinAgent(relay, "a", V2);
  const asked = ask("q", { model: "m" });
  const other = JSON.stringify({ choices: [{ index: 1, delta: { content: "x" }, finish_reason: null }] });
  for (const data of [ending, other]) agent.link.delta(slotOf(agent), { data });
  await pass(59_000);
  expect(await peek(asked)).toBe("open");
  agent.link.delta(slotOf(agent), {
    data: JSON.stringify({ choices: [{ index: 1, finish_reason: "stop" }] }),
  });
  await pass(15_000);
  expect(await peek(asked)).toBe("200");
});
