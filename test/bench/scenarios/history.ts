import { makeData, tokenOf } from "../data-folder.ts";
import { askExchange } from "../exchanges.ts";
import { measurePairs, rowsOf } from "../pairs.ts";
import { residentBytes } from "../process-stats.ts";
import type { Goal, Row } from "../rows.ts";
import { type Context, type Scenario, Skipped } from "../scenario.ts";
import { connectAgents, V1_AGENTS } from "../targets.ts";
import type { Target } from "../workshop.ts";

const LEVELS = [
  { scenario: "10⁴ users", users: 10_000 },
  { scenario: "10⁵ users", users: 100_000 },
  { scenario: "10⁵ users, 10⁶ usage rows", users: 100_000, usageRows: 1_000_000 },
];

const CALLERS = 32;
const USERS_ASKING = 1_000;

async function start(context: Context, name: string, contents: { users: number; usageRows?: number }) {
  const target = await context.workshop.startOurs({ data: await makeData(context.workshop, name, contents) });
  await connectAgents(context.workshop, target, V1_AGENTS);
  // The asking users are spread over all users.
  const step = contents.users / USERS_ASKING;
  let next = 0;
  const load = {
    callers: CALLERS,
    exchange: askExchange(),
    tokenOf: () => tokenOf(Math.floor((next++ % USERS_ASKING) * step)),
  };
  return { target, load };
}

export const HISTORY: Scenario = {
  name: "history",
  about: "asks by 1,000 users out of 10³ (the base), 10⁴ and 10⁵, and with 10⁶ rows of usage",
  async run(context) {
    const rows: Row[] = [];
    for (const [index, { scenario, ...contents }] of LEVELS.entries()) {
      try {
        // Uses a new base each time, as the rows that it stores while it is measured are a history too.
        const base = await start(context, `history-base-${index + 1}`, { users: USERS_ASKING });
        const value = await start(context, `history-${index + 1}`, contents);
        const pairs = await measurePairs(context, base, value);
        const goals: Record<string, Goal> =
          index === LEVELS.length - 1
            ? { perSecond: { of: "ratio", atLeast: 0.9 }, p50Ms: { of: "ratio", atMost: 1.1 } }
            : {};
        const metrics = ["perSecond", "p50Ms", "cpuMicros"] as const;
        rows.push(...rowsOf(pairs, { scenario, unit: "ask", metrics, goals }));
        rows.push(memoryRow(scenario, base.target, value.target));
        await Promise.all([base.target.stop(), value.target.stop()]);
      } catch (error) {
        if (!(error instanceof Skipped)) throw error;
        rows.push({ scenario, metric: "skipped", unit: "", value: Number.NaN, note: error.message });
      }
    }
    return rows;
  },
};

function memoryRow(scenario: string, base: Target, value: Target): Row {
  const megabytes = (target: Target) => residentBytes(target.pid) / 1e6;
  return { scenario, metric: "memory", unit: "MB", base: megabytes(base), value: megabytes(value) };
}
