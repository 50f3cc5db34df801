import { expect, test } from "bun:test";
import { TURNS } from "../../src/relay/routing/priority.ts";
import { play, seeds, TIMEOUT_MS } from "./acceptance.ts";
import type { PoolInput } from "./pool.ts";
import type { Report } from "./report.ts";

const SPEED = { inputTokensPerSecond: 2_000, outputTokensPerSecond: 50 };

type Agents = PoolInput["agents"];
type Users = PoolInput["users"];

const AGENTS: Agents = [
  { name: "steady", count: 3, slots: 4, models: ["m"], ...SPEED },
  {
    ...{ name: "flapping", count: 3, slots: 4, models: ["m"], ...SPEED },
    faults: [
      { kind: "refuse", everyMs: 120_000, forMs: 30_000 },
      { kind: "away", everyMs: 120_000, forMs: 30_000 },
    ],
  },
];

/** Three classes, each with users who always have as many asks. */
const CLASSES: Users = [
  { name: "high", count: 2, models: ["m"], conversations: 60, priority: "high" },
  { name: "normal", count: 3, models: ["m"], conversations: 60, priority: "normal" },
  { name: "low", count: 4, models: ["m"], conversations: 60, priority: "low" },
];

const LIMITS: PoolInput["limits"] = { queueMax: 10_000, queueWaitMs: 3_600_000 };

/** Checks that each user had the share of the turns of their class, within ten percent. */
function expectShares({ groups }: Report): void {
  const all = groups.reduce((sum, { users, priority }) => sum + users * TURNS[priority], 0);
  for (const { name, users, priority, backlogShare = 0 } of groups)
    expect(backlogShare / ((users * TURNS[priority]) / all), name).toBeWithin(0.9, 1.1);
}

test.each(seeds)(
  "three classes in a backlog share flapping agents as 8:4:1, and users of a class wait alike (SEED=%d)",
  async (seed) => {
    const report = await play({ agents: AGENTS, users: CLASSES, limits: LIMITS }, seed);
    expectShares(report);
    for (const { name, unfairness, waitMs } of report.groups) {
      expect(unfairness, name).toBeWithin(1, 1.2);
      // An ask that an agent has refused keeps its place.
      expect(waitMs.p99 / waitMs.p50, name).toBeLessThan(2);
    }
    // Also while the others are busy, an agent that refuses at once gets few asks.
    for (const { name, refusedInMinuteMax } of report.agents)
      expect(refusedInMinuteMax, name).toBeLessThan(100);
    expect(report.needlessWaits).toBe(0);
    expect(report.errors).toBeLessThan(report.asks / 50);
  },
  TIMEOUT_MS,
);

test.each(seeds)(
  "a big user does not let others wait longer, who wait alike (SEED=%d)",
  async (seed) => {
    const agents: Agents = [{ name: "agent", count: 4, slots: 4, models: ["m"], ...SPEED }];
    const small: Users[number] = { name: "small", count: 5, models: ["m"], conversationsPerMinute: 20 };
    const big: Users[number] = { name: "big", models: ["m"], conversations: 100 };
    const report = await play({ agents, users: [big, small], limits: LIMITS }, seed);
    const [ofBig, ofSmall] = report.groups;
    expect(ofSmall?.unfairness).toBeWithin(1, 1.2);
    expect(ofSmall?.waitMs.p99).toBeLessThan(5_000);
    expect(ofBig?.waitMs.p50).toBeGreaterThan(10_000);
  },
  TIMEOUT_MS,
);
