import { existsSync } from "node:fs";
import { compareLoads, type Table } from "../compare.ts";
import { chatExchange, conversationExchange, streamExchange } from "../exchanges.ts";
import type { Load } from "../measure.ts";
import type { Row } from "../rows.ts";
import { type Context, type Scenario, Skipped } from "../scenario.ts";
import { addUsers, connectAgents, V2_AGENTS } from "../targets.ts";

const CALLERS = 32;

/** Streams of several deltas. Each delta is a pass through most of the code. */
const WARM_UP_STREAMS = 5_000;

const LOADS: Readonly<Record<string, { load: Omit<Load, "tokenOf">; unit: string }>> = {
  "asks, 32 callers": { load: { callers: CALLERS, exchange: conversationExchange(1) }, unit: "ask" },
  "chat, 32 callers": { load: { callers: CALLERS, exchange: chatExchange() }, unit: "ask" },
  "chat streamed, 32 callers": {
    load: {
      ...{ callers: CALLERS, warmUpRequests: WARM_UP_STREAMS },
      exchange: streamExchange({ deltas: 20, unit: "stream" }),
    },
    unit: "stream",
  },
};

/** Starts the server from an executable, with v2 agents. */
async function start({ workshop }: Context, executable: string) {
  const target = await workshop.startOurs({ executable });
  await connectAgents(workshop, target, V2_AGENTS);
  const tokenOf = await addUsers(target);
  const loads = Object.entries(LOADS).map(([name, { load }]) => [name, { ...load, tokenOf }] as const);
  return { target, loads: Object.fromEntries(loads) };
}

export const BEFORE: Scenario = {
  name: "before",
  about: "the executable compared with another one, whose path is in BENCH_BEFORE",
  sets: [],
  run(context): Promise<Row[]> {
    const before = process.env["BENCH_BEFORE"];
    if (before === undefined || !existsSync(before))
      throw new Skipped("BENCH_BEFORE must be the path of an executable.");
    const tables = Object.entries(LOADS).map(
      ([name, { unit }]): Table => ({
        ...{ scenario: `${name}, compared with before`, load: name, unit },
        metrics: ["perSecond", "p50Ms", "cpuMicros", "residentMb"],
        goals: { perSecond: { of: "ratio", atLeast: 0.98 }, cpuMicros: { of: "ratio", atMost: 1.02 } },
      }),
    );
    const sides = {
      base: () => start(context, before),
      value: () => start(context, context.workshop.executable),
    };
    return compareLoads(context, sides, tables);
  },
};
