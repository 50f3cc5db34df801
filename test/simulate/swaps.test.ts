import { expect, test } from "bun:test";
import { play, seeds, TIMEOUT_MS } from "./acceptance.ts";
import type { PoolInput } from "./pool.ts";

const OLLAMA: PoolInput["agents"][number] = {
  ...{ name: "ollama", count: 2, slots: 4, modelsInMemory: 1, loadMs: 8_000 },
  ...{ models: ["m", "n", "o"], inputTokensPerSecond: 1_000, outputTokensPerSecond: 40 },
};

test.each(seeds)(
  "two models on two machines that hold one each are hardly ever swapped (SEED=%d)",
  async (seed) => {
    const users: PoolInput["users"] = [
      { name: "people", count: 10, models: ["m", "n"], conversationsPerMinute: 3 },
    ];
    const report = await play({ agents: [OLLAMA], users }, seed);
    expect(report.swaps).toBeLessThan(report.asks / 20);
    expect(report.errors).toBe(0);
    expect(report.waitMs.p99).toBeLessThan(30_000);
  },
  TIMEOUT_MS,
);

test.each(seeds)(
  "three models on two machines that hold one each take turns, and none is starved (SEED=%d)",
  async (seed) => {
    const users: PoolInput["users"] = ["m", "n", "o"].map((model) => ({
      ...{ name: `user-of-${model}`, count: 5, models: [model], conversations: 1, thinkMs: 10_000 },
    }));
    const report = await play({ agents: [OLLAMA], users }, seed);
    expect(report.swaps).toBeLessThan(report.asks / 5);
    expect(report.errors).toBe(0);
    for (const { name, waitMs } of report.groups) expect(waitMs.p99, name).toBeLessThan(60_000);
  },
  TIMEOUT_MS,
);
