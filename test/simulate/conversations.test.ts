import { expect, test } from "bun:test";
import { play, seeds, TIMEOUT_MS } from "./acceptance.ts";
import type { PoolInput } from "./pool.ts";

const MACHINE = {
  ...{ slots: 4, models: ["m"], inputTokensPerSecond: 1_000, outputTokensPerSecond: 40 },
  cachedConversations: 100,
};

/** About half of the slots of four machines are in use. */
const USERS: PoolInput["users"] = [
  { name: "talker", count: 7, models: ["m"], conversations: 2, turns: 10, thinkMs: 5_000 },
];

test.each(seeds)(
  "at most five percent of the turns of conversations move while their agent may have room within the wait (SEED=%d)",
  async (seed) => {
    const report = await play({ agents: [{ name: "machine", count: 4, ...MACHINE }], users: USERS }, seed);
    expect(report.movedInVain).toBeLessThanOrEqual(0.05);
    expect(report.moved).toBeLessThanOrEqual(0.1);
    expect(report.cacheHits).toBeGreaterThan(0.95);
    expect(report.errors).toBe(0);
  },
  TIMEOUT_MS,
);

test.each(seeds)(
  "conversations whose agent leaves for good go on at the others (SEED=%d)",
  async (seed) => {
    const agents: PoolInput["agents"] = [
      { name: "machine", count: 3, ...MACHINE },
      { name: "leaving", ...MACHINE, faults: [{ kind: "away", fromMs: 60_000 }] },
    ];
    const report = await play({ agents, users: USERS }, seed);
    // Those whose answers had begun.
    expect(report.errors).toBeLessThanOrEqual(MACHINE.slots);
    expect(report.movedInVain).toBeLessThanOrEqual(0.05);
    expect(report.moved).toBeGreaterThan(0);
    expect(report.waitMs.p99).toBeLessThan(1_500);
  },
  TIMEOUT_MS,
);
