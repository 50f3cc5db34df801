import { compareLoads, type Table } from "../compare.ts";
import { chatExchange, streamExchange } from "../exchanges.ts";
import type { Load } from "../measure.ts";
import type { Row } from "../rows.ts";
import type { Context, Scenario } from "../scenario.ts";
import { addUsers, anyToken, connectAgents, V2_AGENTS } from "../targets.ts";

interface Relayed extends Omit<Table, "load"> {
  asked: Omit<Load, "tokenOf">;
}

/** Measures our server and the bare relay with the same v2 agents, under one load after the other. */
function relayed(context: Context, tables: readonly Relayed[]): Promise<Row[]> {
  const { workshop } = context;
  const side = async (isOurs: boolean) => {
    const target = isOurs ? await workshop.startOurs() : await workshop.startBare();
    await connectAgents(workshop, target, V2_AGENTS);
    const tokenOf = isOurs ? await addUsers(target) : anyToken;
    const loads = tables.map(({ scenario, asked }) => [scenario, { ...asked, tokenOf }]);
    return { target, loads: Object.fromEntries(loads) };
  };
  const sides = { base: () => side(false), value: () => side(true) };
  return compareLoads(
    context,
    sides,
    tables.map((table) => ({ ...table, load: table.scenario })),
  );
}

/** Streams of many deltas. Each delta is a pass through most of the code. */
const WARM_UP_STREAMS = 3_000;

const SATURATED: Relayed = {
  scenario: "64 streams, saturated",
  asked: {
    ...{ callers: 64, warmUpRequests: WARM_UP_STREAMS },
    exchange: streamExchange({ deltas: 200, unit: "delta" }),
  },
  unit: "delta",
  metrics: ["perSecond", "firstP50Ms", "cpuMicros"],
  goals: { perSecond: { of: "ratio", atLeast: 1 } },
};

/** One delta every 20 ms, as a model sends them. */
const PACED: Relayed = {
  scenario: "64 streams, paced",
  asked: {
    ...{ callers: 64, staggerMs: 400, warmUpRequests: 0 },
    exchange: streamExchange({ deltas: 20, pauseMs: 20, unit: "delta" }),
  },
  unit: "delta",
  metrics: ["firstP50Ms", "cpuMicros"],
  goals: { firstP50Ms: { of: "ratio", atMost: 1.4 } },
};

const SINGLE: Relayed = {
  scenario: "1 stream",
  asked: { callers: 1, exchange: streamExchange({ deltas: 4, unit: "stream" }) },
  unit: "stream",
  metrics: ["firstP50Ms", "p50Ms"],
  goals: { firstP50Ms: { of: "ratio", atMost: 1.25 } },
};

export const STREAMS: Scenario = {
  name: "streams",
  about: "64 streams as fast as possible, 64 with a delta every 20 ms, and one at a time",
  sets: ["quick", "goals"],
  run: (context) => relayed(context, [SATURATED, SINGLE, PACED]),
};

const WHOLE: Relayed = {
  scenario: "chat, 32 callers",
  asked: { callers: 32, exchange: chatExchange() },
  unit: "ask",
  metrics: ["perSecond", "p50Ms", "p99Ms", "cpuMicros"],
};

const STREAMED: Relayed = {
  scenario: "chat streamed, 32 callers",
  asked: {
    ...{ callers: 32, warmUpRequests: WARM_UP_STREAMS },
    exchange: streamExchange({ deltas: 20, unit: "stream" }),
  },
  unit: "stream",
  metrics: ["perSecond", "p50Ms", "firstP50Ms", "cpuMicros"],
};

/** The upstream sends `"usage":null` in each delta, which the caller did not request. */
const USAGE_REMOVED: Relayed = {
  scenario: "64 streams, usage removed",
  asked: {
    ...{ callers: 64, warmUpRequests: 0 },
    exchange: streamExchange({ deltas: 200, usage: true, unit: "delta" }),
  },
  unit: "delta",
  metrics: ["perSecond", "cpuMicros"],
};

export const CHAT: Scenario = {
  name: "chat",
  about:
    "POST /v1/chat/completions over 16 v2 agents, whole and streamed; deltas from which usage is removed",
  sets: ["quick"],
  run: (context) => relayed(context, [WHOLE, STREAMED, USAGE_REMOVED]),
};
