import { expect, test } from "bun:test";
import type { Problem } from "../../../src/protocol/node/problems.ts";
import { joinAgent } from "../../support/transport.ts";
import { type AlertsBench, createAlertsBench, failOften, messagesOf } from "../alerts-bench.ts";

const v2 = { protocol: "v2" as const };
/** Lets `count` requests wait for the model behind one that runs. */
async function wait(bench: AlertsBench, count: number, seconds: number): Promise<readonly Problem[]> {
  for (let index = 0; index <= count; index++) void bench.ask(`${index}`, { model: "m", user: `u${index}` });
  return bench.look(seconds);
}

test("requests that wait for their turn are a problem after half a minute: all slots are in use", async () => {
  const bench = createAlertsBench();
  joinAgent(bench.relay, "gpu-1", v2);
  expect(await wait(bench, 4, 29)).toEqual([]);
  expect(await bench.look(2)).toMatchObject([
    {
      ...{ code: "requests_waiting", subject: "m", severity: "warning" },
      details: { requests: 4, cause: "full", count: 1, slots: 1, agents: [{ name: "gpu-1" }] },
    },
  ]);
  expect(messagesOf(bench)).toEqual([
    "4 requests wait for m: the only slot of its only agent, gpu-1, is in use. The oldest has waited 31 s.",
  ]);
});

test("requests whose only agent fails are reported soon, with its error", async () => {
  const bench = createAlertsBench({ limits: { agentFailuresMax: 0 } });
  const agent = joinAgent(bench.relay, "gpu-1", v2);
  await failOften(bench, agent, "m");
  await bench.look(60);
  await wait(bench, 4, 7);
  const waiting = bench.monitor.problems().find(({ code }) => code === "requests_waiting");
  expect(waiting).toMatchObject({ severity: "critical", details: { cause: "failing", requests: 4 } });
  expect(messagesOf(bench)[0]).toBe(
    "4 requests wait for m: its only agent, gpu-1, has been failing for 1 min: connection refused. The oldest has waited 7 s.",
  );
});

test("requests whose only agent is paused are reported", async () => {
  const bench = createAlertsBench();
  const agent = joinAgent(bench.relay, "gpu-1", v2);
  void bench.ask("1", { model: "m" });
  agent.link.pause();
  void bench.ask("2", { model: "m" });
  await bench.look(7);
  expect(messagesOf(bench)[0]).toMatch(
    /^1 request waits for m: its only agent, gpu-1, is paused\. It has waited 7 s\.$/,
  );
});

test("requests whose last agent has left are reported while they wait for its return", async () => {
  const bench = createAlertsBench({ limits: { reconnectGraceMs: 60_000 } });
  const agent = joinAgent(bench.relay, "gpu-1", v2);
  joinAgent(bench.relay, "other", { ...v2, models: ["another"] });
  await bench.look();
  agent.link.gone();
  void bench.ask("1", { model: "m" });
  await bench.look(10);
  expect(messagesOf(bench)).toEqual([
    "1 request waits for m: its last agent, gpu-1, left 10 s ago. It has waited 10 s.",
  ]);
});

test("agents in different states are counted", async () => {
  const bench = createAlertsBench();
  const paused = joinAgent(bench.relay, "paused", v2);
  joinAgent(bench.relay, "busy", v2);
  paused.link.pause();
  await wait(bench, 2, 32);
  expect(messagesOf(bench)[0]).toMatch(
    /^2 requests wait for m: of its 2 agents 1 is paused and 1 has no free slot\./,
  );
});

test("the problem is over when nobody waits any more", async () => {
  const bench = createAlertsBench();
  const agent = joinAgent(bench.relay, "gpu-1", v2);
  await wait(bench, 1, 32);
  expect(bench.codes()).toEqual(["requests_waiting"]);
  agent.answer();
  agent.answer();
  expect((await bench.look(17)).length).toBe(0);
});

test("in a cluster a model of other nodes only is not called gone", async () => {
  const cluster = {
    ...{ self: "node-1", agentsElsewhere: () => 1, offersElsewhere: () => true },
    isConnectedElsewhere: () => false,
  };
  const bench = createAlertsBench({ cluster, limits: { reconnectGraceMs: 120_000 } });
  const agent = joinAgent(bench.relay, "gpu-1", v2);
  await bench.look();
  agent.link.gone();
  void bench.ask("1", { model: "m" });
  await bench.look(32);
  expect(bench.monitor.problems()).toMatchObject([{ details: { cause: "elsewhere" } }]);
});

test("a queue with few places left is a problem, and a full one a critical problem", async () => {
  const bench = createAlertsBench({ limits: { queueMax: 10, queueUserMax: 10 } });
  joinAgent(bench.relay, "gpu-1", v2);
  await wait(bench, 8, 6);
  expect(bench.monitor.problems()).toMatchObject([
    { code: "queue_filling", severity: "warning", details: { requests: 8, limit: 10 } },
  ]);
  await wait(bench, 1, 1);
  expect(bench.monitor.problems()).toMatchObject([{ code: "queue_filling", severity: "critical" }]);
  expect(messagesOf(bench)).toEqual([
    "10 of at most 10 requests wait for agents, so further ones are refused.",
  ]);
});
