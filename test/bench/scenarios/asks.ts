import { compare, oneLoad } from "../compare.ts";
import { askExchange, conversationExchange, type Exchange } from "../exchanges.ts";
import type { Row } from "../rows.ts";
import type { Context, Scenario } from "../scenario.ts";
import type { Start } from "../sides.ts";
import {
  addUsers,
  anyToken,
  type Crowd,
  connectAgents,
  MIXED_AGENTS,
  V1_AGENTS,
  V2_AGENTS,
} from "../targets.ts";

interface Asks {
  callers: number;
  agents: readonly Crowd[];
  exchange: () => Exchange;
}

function startsOf({ workshop }: Context, { callers, agents, exchange }: Asks): { base: Start; value: Start } {
  const side = async (isOurs: boolean) => {
    const target = isOurs ? await workshop.startOurs() : await workshop.startBare();
    for (const crowd of agents) await connectAgents(workshop, target, crowd);
    const tokenOf = isOurs ? await addUsers(target) : anyToken;
    return oneLoad(target, { callers, exchange: exchange(), tokenOf });
  };
  return { base: () => side(false), value: () => side(true) };
}

function scenarioOf(name: string, about: string, callers: readonly number[], isQuick: boolean): Scenario {
  return {
    name,
    about,
    isQuick,
    async run(context) {
      const rows: Row[] = [];
      for (const count of callers) rows.push(...(await asksBy(context, count)));
      return rows;
    },
  };
}

function asksBy(context: Context, callers: number): Promise<Row[]> {
  const starts = startsOf(context, { callers, agents: [V1_AGENTS], exchange: () => askExchange() });
  return compare(context, starts, {
    scenario: `asks, ${callers} caller${callers === 1 ? "" : "s"}`,
    unit: "ask",
    metrics: ["perSecond", "p50Ms", "p99Ms", "cpuMicros"],
    goals: {
      ...(callers === 32 ? { perSecond: { of: "ratio", atLeast: 0.65 } } : {}),
      ...(callers === 1 ? { p50Ms: { of: "ratio", atMost: 1.5 } } : {}),
    },
  });
}

export const ASKS = scenarioOf(
  "asks",
  "POST /api/ask over 160 v1 agents, by 1 and 32 callers of 16 users; each begins a conversation",
  [1, 32],
  true,
);

export const ASKS_MORE = scenarioOf("asks-more", "the same by 8 and 128 callers", [8, 128], false);

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
  async run(context) {
    const rows: Row[] = [];
    for (const { name, agents } of POOLS) {
      const starts = startsOf(context, { callers: 32, agents, exchange: () => conversationExchange(TURNS) });
      rows.push(
        ...(await compare(context, starts, {
          scenario: `asks, 32 callers, ${name}, conversations of ${TURNS} turns`,
          unit: "ask",
          metrics: ["perSecond", "p50Ms", "cpuMicros"],
        })),
      );
    }
    return rows;
  },
};
