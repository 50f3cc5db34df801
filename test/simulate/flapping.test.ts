import { expect, test } from "bun:test";
import { play, seeds, TIMEOUT_MS } from "./acceptance.ts";
import type { PoolInput } from "./pool.ts";

const SPEED = { inputTokensPerSecond: 2_000, outputTokensPerSecond: 50 };

type Agents = PoolInput["agents"];
type Users = PoolInput["users"];

/** Agents of many kinds, each of which fails in its own way from time to time. */
const FLAPPING: Agents = [
  { name: "steady", slots: 4, models: ["m", "n"], tags: ["home"], ...SPEED },
  {
    ...{ name: "refusing", count: 2, slots: 3, models: ["m", "n"], tags: ["home"], ...SPEED },
    faults: [{ kind: "refuse", everyMs: 60_000, forMs: 20_000 }],
  },
  {
    ...{ name: "leaving", count: 2, slots: 2, models: ["m"], ...SPEED },
    faults: [{ kind: "away", everyMs: 40_000, forMs: 15_000 }],
  },
  {
    ...{ name: "cutting", slots: 4, models: ["n"], ...SPEED },
    faults: [{ kind: "cut", everyMs: 90_000, forMs: 20_000 }],
  },
  {
    ...{ name: "slow", slots: 4, models: ["m", "n"], tags: ["home"], ...SPEED },
    faults: [{ kind: "slow", factor: 8, everyMs: 200_000, forMs: 60_000 }],
  },
];

const USERS: Users = [
  { name: "any", count: 10, models: ["m", "n"], conversationsPerMinute: 6 },
  { name: "home", count: 4, models: ["m", "n"], tags: [["home"]], conversationsPerMinute: 4 },
  { name: "talkers", count: 4, models: ["m", "n"], conversations: 2, turns: 5, thinkMs: 10_000 },
];

test.each(seeds)(
  "with flapping agents, no ask waits while a healthy, capable agent has room (SEED=%d)",
  async (seed) => {
    const report = await play({ agents: FLAPPING, users: USERS }, seed);
    expect([report.needlessWaits, report.needlessWaitExamples]).toEqual([0, []]);
    const codes = Object.keys(report.errorsByCode).filter((code) => !/^agent_(failed|lost)$/.test(code));
    expect(codes).toEqual([]);
    expect(report.errors).toBeLessThan(report.asks / 20);
  },
  TIMEOUT_MS,
);

const UNTIL_MS = 600_000;
const REFUSING: Agents = [
  {
    ...{ name: "refusing", count: 3, slots: 8, models: ["m"], ...SPEED },
    faults: [{ kind: "refuse", untilMs: UNTIL_MS }],
  },
  { name: "good", slots: 8, models: ["m"], ...SPEED },
];

test.each(seeds)(
  "with three of four agents refusing, all of 100 asks are answered (SEED=%d)",
  async (seed) => {
    const users: Users = [{ name: "caller", count: 4, models: ["m"], conversations: 1 }];
    const report = await play({ agents: REFUSING, users }, seed, 100);
    expect(report.errors).toBe(0);
  },
  TIMEOUT_MS,
);

test.each(seeds)(
  "agents that refuse are asked at most ten times in a minute, and have work within 10 s of their recovery (SEED=%d)",
  async (seed) => {
    const users: Users = [{ name: "caller", count: 6, models: ["m"], conversations: 1 }];
    const report = await play({ agents: REFUSING, users }, seed);
    expect(report.virtualMs).toBeGreaterThan(1.5 * UNTIL_MS);
    expect(report.errors).toBe(0);
    for (const { name, refusedInMinuteMax, idleAfterFaultMsMax, sent } of report.agents) {
      if (name === "good") continue;
      expect(refusedInMinuteMax, name).toBeWithin(1, 11);
      expect(idleAfterFaultMsMax, name).toBeWithin(1, 10_001);
      expect(sent, name).toBeGreaterThan(500);
    }
  },
  TIMEOUT_MS,
);
