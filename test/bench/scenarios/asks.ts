import { askExchange } from "../exchanges.ts";
import { measurePairs, rowsOf } from "../pairs.ts";
import type { Row } from "../rows.ts";
import type { Scenario } from "../scenario.ts";
import { addUser, startBoth, V1_AGENTS } from "../targets.ts";

const CALLERS = [1, 8, 32, 128] as const;

export const ASKS: Scenario = {
  name: "asks",
  about: "POST /api/ask over 160 v1 agents, by 1, 8, 32 and 128 callers",
  async run(context) {
    const rows: Row[] = [];
    for (const callers of CALLERS) {
      // Starts new targets each time, as every ask adds a conversation.
      const { bare, ours } = await startBoth(context.workshop, V1_AGENTS);
      const token = await addUser(ours);
      const load = { callers, exchange: askExchange(), tokenOf: () => token };
      const pairs = await measurePairs(context, { target: bare, load }, { target: ours, load });
      rows.push(
        ...rowsOf(pairs, {
          scenario: `asks, ${callers} caller${callers === 1 ? "" : "s"}`,
          unit: "ask",
          metrics: ["perSecond", "p50Ms", "p99Ms", "cpuMicros"],
          goals: {
            ...(callers === 32 ? { perSecond: { of: "ratio", atLeast: 0.75 } } : {}),
            ...(callers === 1 ? { p50Ms: { of: "ratio", atMost: 1.3 } } : {}),
          },
        }),
      );
      await Promise.all([bare.stop(), ours.stop()]);
    }
    return rows;
  },
};
