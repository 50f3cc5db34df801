import { expect, test } from "bun:test";
import { play, seeds, TIMEOUT_MS } from "./acceptance.ts";
import type { PoolInput } from "./pool.ts";

const MACHINE = { slots: 8, models: ["m"], inputTokensPerSecond: 2_000, outputTokensPerSecond: 50 };

/** Each takes 0.6 of the capacity of one machine: 8 slots, and about 4.15 s for an answer. */
const USERS: PoolInput["users"] = [{ name: "user", count: 10, models: ["m"], conversationsPerMinute: 7 }];

test.each(seeds)(
  "with three of four agents ten times slower, p99 is at most twice that of the good one alone (SEED=%d)",
  async (seed) => {
    const good = { name: "good", ...MACHINE };
    const slow: PoolInput["agents"][number] = {
      ...{ name: "slow", count: 3, ...MACHINE },
      faults: [{ kind: "slow", factor: 10, fromMs: 60_000 }],
    };
    const alone = await play({ agents: [good], users: USERS }, seed);
    const pool = await play({ agents: [good, slow], users: USERS }, seed);
    expect(pool.errors).toBe(0);
    expect(pool.allMs.p99 / alone.allMs.p99).toBeLessThanOrEqual(2);
    expect(pool.firstByteMs.p99 / alone.firstByteMs.p99).toBeLessThanOrEqual(2);
  },
  2 * TIMEOUT_MS,
);
