import { compare, oneLoad } from "../compare.ts";
import { dataFor, tokenOf } from "../data-folder.ts";
import { askExchange } from "../exchanges.ts";
import type { Row } from "../rows.ts";
import { type Context, type Scenario, Skipped } from "../scenario.ts";
import type { Side } from "../sides.ts";
import { connectAgents, V1_AGENTS } from "../targets.ts";

interface Level {
  scenario: string;
  users: number;
  usageRows?: number;
}

const FULL: Level = { scenario: "10⁵ users, 10⁶ usage rows", users: 100_000, usageRows: 1_000_000 };
const LESS: readonly Level[] = [
  { scenario: "10⁴ users", users: 10_000 },
  { scenario: "10⁵ users", users: 100_000 },
];

const CALLERS = 32;
const USERS_ASKING = 1_000;

async function start(context: Context, contents: { users: number; usageRows?: number }): Promise<Side> {
  const { workshop } = context;
  const { users, usageRows = 0 } = contents;
  const data = await dataFor(workshop, `history-${users}-${usageRows}`, contents);
  const target = await workshop.startOurs({ data });
  await connectAgents(workshop, target, V1_AGENTS);
  // The asking users are spread over all users.
  const step = users / USERS_ASKING;
  let next = 0;
  const nextToken = () => tokenOf(Math.floor((next++ % USERS_ASKING) * step));
  return oneLoad(target, { callers: CALLERS, exchange: askExchange(), tokenOf: nextToken });
}

async function compareLevel(context: Context, level: Level): Promise<Row[]> {
  const { scenario, ...contents } = level;
  const [base, value] = [() => start(context, { users: USERS_ASKING }), () => start(context, contents)];
  const options = {
    scenario,
    unit: "ask",
    metrics: ["perSecond", "p50Ms", "cpuMicros", "residentMb"] as const,
  };
  const goals = level === FULL ? ({ perSecond: { of: "ratio", atLeast: 0.95 } } as const) : {};
  try {
    return await compare(context, { base, value }, { ...options, goals });
  } catch (error) {
    if (!(error instanceof Skipped)) throw error;
    return [{ scenario, metric: "skipped", unit: "", value: Number.NaN, note: error.message }];
  }
}

export const HISTORY: Scenario = {
  name: "history",
  about: "asks by 1,000 users out of 10⁵ with 10⁶ rows of usage, compared with 10³ users and no usage",
  sets: ["goals"],
  run: (context) => compareLevel(context, FULL),
};

export const HISTORY_MORE: Scenario = {
  name: "history-more",
  about: "the same with 10⁴ and 10⁵ users and no usage",
  sets: [],
  async run(context) {
    const rows: Row[] = [];
    for (const level of LESS) rows.push(...(await compareLevel(context, level)));
    return rows;
  },
};
