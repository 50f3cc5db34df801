import { compare, compareLoads, oneLoad } from "../compare.ts";
import { askExchange, conversationExchange } from "../exchanges.ts";
import type { Row } from "../rows.ts";
import type { Context, Scenario } from "../scenario.ts";
import {
  addUsers,
  anyToken,
  type Crowd,
  connectAgents,
  MIXED_AGENTS,
  V1_AGENTS,
  V2_AGENTS,
} from "../targets.ts";

/** Starts our server or the bare relay with agents. Resolves with it, and with the tokens of the callers. */
async function startWith({ workshop }: Context, agents: readonly Crowd[], isOurs: boolean) {
  const target = isOurs ? await workshop.startOurs() : await workshop.startBare();
  for (const crowd of agents) await connectAgents(workshop, target, crowd);
  return { target, tokenOf: isOurs ? await addUsers(target) : anyToken };
}

/** The first number of callers warms up the others. */
function asksBy(context: Context, callers: readonly number[]): Promise<Row[]> {
  const side = async (isOurs: boolean) => {
    const { target, tokenOf } = await startWith(context, [V1_AGENTS], isOurs);
    const loads = callers.map((count, index) => [
      nameOf(count),
      { callers: count, exchange: askExchange(), tokenOf, ...(index > 0 ? { warmUpRequests: 0 } : {}) },
    ]);
    return { target, loads: Object.fromEntries(loads) };
  };
  const tables = callers.map((count) => ({
    scenario: nameOf(count),
    load: nameOf(count),
    unit: "ask",
    metrics: ["perSecond", "p50Ms", "p99Ms", "cpuMicros"] as const,
    goals: {
      ...(count === 32 ? { perSecond: { of: "ratio", atLeast: 0.65 } as const } : {}),
      ...(count === 1 ? { p50Ms: { of: "ratio", atMost: 1.5 } as const } : {}),
    },
  }));
  return compareLoads(context, { base: () => side(false), value: () => side(true) }, tables);
}

const nameOf = (callers: number) => `asks, ${callers} caller${callers === 1 ? "" : "s"}`;

export const ASKS: Scenario = {
  name: "asks",
  about: "POST /api/ask over 160 v1 agents, by 32 and 1 callers of 16 users; each begins a conversation",
  sets: ["quick", "goals"],
  run: (context) => asksBy(context, [32, 1]),
};

export const ASKS_MORE: Scenario = {
  name: "asks-more",
  about: "the same by 8 and 128 callers",
  sets: [],
  run: (context) => asksBy(context, [8, 128]),
};

/** A conversation is continued twice. */
const TURNS = 3;

const POOLS = [
  { name: "v2 agents", agents: [V2_AGENTS] },
  { name: "agents of every kind", agents: MIXED_AGENTS },
];

export const ASKS_POOLS: Scenario = {
  name: "asks-pools",
  about:
    "POST /api/ask over v2 agents and over a mix of agents, by 32 callers who continue their conversations",
  sets: [],
  async run(context) {
    const rows: Row[] = [];
    for (const { name, agents } of POOLS) {
      const side = async (isOurs: boolean) => {
        const { target, tokenOf } = await startWith(context, agents, isOurs);
        return oneLoad(target, { callers: 32, exchange: conversationExchange(TURNS), tokenOf });
      };
      rows.push(
        ...(await compare(
          context,
          { base: () => side(false), value: () => side(true) },
          {
            scenario: `asks, 32 callers, ${name}, conversations of ${TURNS} turns`,
            unit: "ask",
            metrics: ["perSecond", "p50Ms", "cpuMicros"],
          },
        )),
      );
    }
    return rows;
  },
};
