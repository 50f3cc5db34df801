import { expect, test } from "bun:test";
import { joinAgent } from "../support/transport.ts";
import { createAlertsBench, fail, failOften, messagesOf } from "./alerts-bench.ts";

const v2 = { protocol: "v2" as const };
test("an agent that fails most of its requests is a problem after ten seconds, with its last error", async () => {
  const bench = createAlertsBench();
  const agent = joinAgent(bench.relay, "gpu-1", v2);
  await failOften(bench, agent, "m");
  await bench.look(9);
  expect(bench.codes()).toEqual([]);
  await bench.look(2);
  expect(bench.monitor.problems()).toMatchObject([
    {
      ...{ code: "agent_failing", subject: "gpu-1", severity: "warning" },
      details: { agents: [{ id: "gpu-1", name: "gpu-1" }], requests: 4, failed: 4 },
    },
  ]);
  expect(messagesOf(bench)).toEqual(["gpu-1 has failed 4 of its last 4 requests: connection refused."]);
});

test("a problem is over some time after the agent has recovered, and not sooner", async () => {
  const bench = createAlertsBench();
  const agent = joinAgent(bench.relay, "gpu-1", v2);
  await failOften(bench, agent, "m");
  await bench.look(20);
  for (let time = 0; time < 6; time++) {
    const asked = bench.ask("x", { model: "m" });
    await bench.look();
    agent.answer();
    await asked;
  }
  await bench.look(9);
  expect(bench.codes()).toEqual(["agent_failing"]);
  await bench.look(8);
  expect(bench.codes()).toEqual([]);
});

test("an agent that fails only for a moment is not reported", async () => {
  const bench = createAlertsBench();
  const agent = joinAgent(bench.relay, "gpu-1", v2);
  await failOften(bench, agent, "m", 3);
  await bench.look(5);
  for (let time = 0; time < 4; time++) {
    const asked = bench.ask("x", { model: "m" });
    await bench.look();
    agent.answer();
    await asked;
  }
  await bench.look(30);
  expect(bench.codes()).toEqual([]);
});

test("a thousand agents that fail at once are one problem, which names a few and counts all", async () => {
  const bench = createAlertsBench({ limits: { queueMax: 5_000, queueUserMax: 5_000 } });
  for (let index = 0; index < 1_000; index++) {
    const agent = joinAgent(bench.relay, `agent-${index}`, { ...v2, models: [`m-${index}`] });
    await failOften(bench, agent, `m-${index}`, 3);
  }
  const [problem, ...others] = await bench.look(15);
  expect(others).toEqual([]);
  expect(problem?.details.agents).toHaveLength(10);
  expect(problem).toMatchObject({ code: "agent_failing", subject: "", details: { count: 1_000 } });
  expect(messagesOf(bench)[0]).toMatch(/^1000 agents fail most of their requests, such as agent-0, /);
  expect(bench.monitor.counts().agent_failing).toBe(1_000);
  expect(JSON.stringify(problem).length).toBeLessThan(3_000);
});

test("the name and the error of an agent are bounded and harmless", async () => {
  const bench = createAlertsBench();
  const agent = joinAgent(bench.relay, `\u001b[2J${"x".repeat(2_000)}`, v2);
  for (let time = 0; time < 4; time++) {
    const asked = bench.ask("x", { model: "m" });
    fail(agent, `\u202e\n${"y".repeat(10_000)}`);
    await asked;
  }
  const [problem] = await bench.look(15);
  expect(JSON.stringify(problem).length).toBeLessThan(2_000);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these must not be there.
  expect(messagesOf(bench)[0]).not.toMatch(/[\u0000-\u001f\u202e]/);
});

test("no agent is a critical problem once one was here, and before only a note", async () => {
  const bench = createAlertsBench();
  await bench.look(59);
  expect(bench.codes()).toEqual([]);
  expect(await bench.look(2)).toMatchObject([{ code: "no_agent", severity: "info" }]);
  const agent = joinAgent(bench.relay, "a", v2);
  bench.monitor.agentJoined({ id: "a", name: "a", address: "", protocol: "v2" });
  expect(await bench.look(10)).toEqual([]);
  agent.link.pause();
  expect(await bench.look(61)).toMatchObject([{ code: "no_agent", severity: "critical" }]);
  expect(messagesOf(bench)).toEqual(["1 agent is connected, but none takes requests."]);
  agent.link.gone();
  await bench.look();
  expect(messagesOf(bench)).toEqual(["No agent is connected, so no request can be served."]);
});
