import { expect, test } from "bun:test";
import { type Job, Machine } from "./machine.ts";
import { Pool } from "./pool.ts";

/** Returns a machine that holds one model, and a list of what its jobs do. */
function createMachine() {
  const agents = [{ name: "a", models: ["m", "n"], inputTokensPerSecond: 1000, outputTokensPerSecond: 100 }];
  const users = [{ name: "u", models: ["m"], conversations: 1 }];
  const [group] = Pool.parse({ about: "", agents, users }).agents;
  if (!group) throw new Error("no agent");
  let now = 0;
  const begun: string[] = [];
  const machine = new Machine(
    { ...group, modelsInMemory: 1, loadMs: 5_000, firstMs: 50, cachedConversations: 2 },
    () => now,
    () => {},
  );
  const job = (model: string, conversation: number): Job => ({
    ...{ model, conversation, earlierTokens: 1_000, inputTokens: 100, outputTokens: 10 },
    begin: (firstMs, allMs, isCached) =>
      begun.push(`${model}${conversation} ${firstMs} ${allMs} ${isCached ? "cached" : "read"}`),
  });
  const pass = (ms: number) => {
    now += ms;
  };
  return { machine, begun, job, pass };
}

test("a machine reads only the new tokens of a conversation that it has in its cache", () => {
  const { machine, begun, job, pass } = createMachine();
  for (const conversation of [1, 1, 2, 3, 1]) {
    const one = job("m", conversation);
    machine.start(one);
    pass(10_000);
    machine.end(one);
  }
  expect(begun).toEqual([
    "m1 6150 6250 read",
    "m1 150 250 cached",
    "m2 1150 1250 read",
    "m3 1150 1250 read",
    "m1 1150 1250 read",
  ]);
});

test("a machine swaps models once no job needs the one in memory, and later jobs wait for that", () => {
  const { machine, begun, job } = createMachine();
  const [first, other, later] = [job("m", 1), job("n", 2), job("m", 3)];
  for (const one of [first, other, later]) machine.start(one);
  expect([begun.length, machine.loads, machine.swaps]).toEqual([1, 1, 0]);
  machine.end(first);
  expect([begun.length, machine.loads, machine.swaps]).toEqual([2, 2, 1]);
  expect([machine.isLoaded("m"), machine.isLoaded("n")]).toEqual([false, true]);
  machine.end(later);
  machine.end(other);
  expect([begun.length, machine.swaps]).toEqual([2, 1]);
});
