import { expect, test } from "bun:test";
import { Pool, poolNames, readPool } from "./pool.ts";
import { reportOf, textOf } from "./report.ts";
import { Samples } from "./samples.ts";
import { simulate } from "./simulation.ts";

const AGENT = { name: "agent", models: ["m"], inputTokensPerSecond: 1000, outputTokensPerSecond: 100 };
const USER = { name: "user", models: ["m"], inputTokens: 100, outputTokens: 100 };

test("a simulation with the same seed is the same, and with another seed it is not", async () => {
  const pool = await readPool("gpu-boxes");
  const play = async (seed: number) => JSON.stringify(reportOf(await simulate(pool, { asks: 1_000, seed })));
  const first = await play(1);
  expect(await play(1)).toBe(first);
  expect(await play(2)).not.toBe(first);
});

test.each(poolNames())("every ask of the pool %s has an outcome, and its report is a table", async (name) => {
  const asks = 1_000;
  const report = reportOf(await simulate(await readPool(name), { asks, seed: 1 }));
  expect(report.groups.reduce((sum, group) => sum + group.asks, 0)).toBe(asks);
  expect(report.errors).toBeLessThan(asks / 10);
  expect(textOf(report)).not.toMatch(/NaN|undefined|Infinity|\[object/);
});

test("one agent without a pause answers as fast as its speed allows", async () => {
  const pool = Pool.parse({
    about: "",
    agents: [{ ...AGENT, pingMs: 0, firstMs: 50 }],
    users: [{ ...USER, conversations: 3 }],
  });
  const report = reportOf(await simulate(pool, { asks: 20_000, seed: 1 }));
  // 50 ms, 100 ms for the input, and 1 s for the output.
  expect(report.asksPerSecond).toBeWithin(0.95 / 1.15, 1.05 / 1.15);
  expect(report.agents[0]?.load).toBeWithin(0.99, 1.01);
  expect(report.cacheHits).toBeUndefined();
});

test("later turns of a conversation are read from the cache of the only agent", async () => {
  const pool = Pool.parse({
    about: "",
    agents: [{ ...AGENT, slots: 2, cachedConversations: 4 }],
    users: [{ ...USER, conversations: 2, turns: 10, thinkMs: 1_000 }],
  });
  const report = reportOf(await simulate(pool, { asks: 2_000, seed: 1 }));
  expect(report.cacheHits).toBe(1);
  expect(report.moved).toBe(0);
});

test("an agent that is away loses what it has, and is asked again once it is back", async () => {
  const faults = [{ kind: "away", everyMs: 30_000, forMs: 5_000 }];
  const pool = Pool.parse({
    about: "",
    agents: [{ ...AGENT, slots: 4, faults }],
    users: [{ ...USER, conversations: 4 }],
  });
  const report = reportOf(await simulate(pool, { asks: 5_000, seed: 1 }));
  expect(report.errorsByCode["agent_lost"]).toBeGreaterThan(10);
  expect(report.agents[0]?.idleAfterFaultMsMax).toBeLessThan(15_000);
  expect(report.asksPerSecond).toBeGreaterThan(1);
});

test("a pool that is not valid is refused with the path of each fault", () => {
  const agents = [{ ...AGENT, slots: 0 }];
  const users = [USER, { ...USER, conversations: 1, conversationsPerMinute: 1 }];
  const { error } = Pool.safeParse({ about: "", agents, users });
  expect(error?.issues.map(({ path }) => path.join("."))).toEqual(["agents.0.slots", "users.0", "users.1"]);
});

test("quantiles are those of the sorted numbers", () => {
  const samples = new Samples();
  expect([samples.quantile(0.5), samples.mean]).toEqual([0, 0]);
  for (let n = 100; n > 0; n--) samples.add(n);
  expect([0, 0.5, 0.99, 1].map((q) => samples.quantile(q))).toEqual([1, 50, 99, 100]);
  samples.add(1_000);
  expect(samples.quantile(1)).toBe(1_000);
});
