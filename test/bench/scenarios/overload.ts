import { makeData, tokenOf } from "../data-folder.ts";
import { askExchange } from "../exchanges.ts";
import { type Load, measure, type Round } from "../measure.ts";
import { residentBytes } from "../process-stats.ts";
import type { Row } from "../rows.ts";
import type { Context, Scenario } from "../scenario.ts";
import { quantile, spreadOf } from "../statistics.ts";
import { connectAgents } from "../targets.ts";
import type { Target } from "../workshop.ts";

/** The number of agents, which have one slot each, and the time that each takes for an answer. */
const AGENTS = 16;
const ANSWER_MS = 10;

const USERS = 8;
/** Short enough to put load on the server, long enough not to measure the callers. */
const REFUSED_PAUSE_MS = 100;

/** The second one is more than the queue holds, so that most requests are refused. */
const GOAL_TIMES = 10;
const FULL_TIMES = 100;

/** Half of the callers belong to one user, the rest to the other users in equal parts. */
function userOf(caller: number, callers: number): number {
  return caller < callers / 2 ? 0 : 1 + (caller % (USERS - 1));
}

function loadOf(timesCapacity: number): Load {
  const callers = AGENTS * timesCapacity;
  const exchange = askExchange({ pauseMs: ANSWER_MS, refusedPauseMs: REFUSED_PAUSE_MS });
  return { callers, exchange, tokenOf: (caller) => tokenOf(userOf(caller, callers)) };
}

/** Returns the ratio of the answers of the most-served user to those of the least-served one. */
function unfairness({ tally }: Round): number {
  const counts = Array.from({ length: USERS }, (_, user) => tally.byToken.get(tokenOf(user)) ?? 0);
  return Math.max(...counts) / Math.min(...counts);
}

interface Level {
  times: number;
  peak: Round[];
  loaded: Round[];
  /** The memory of the server after the first round of the overload and after the last one. */
  bytes: { first: number; last: number };
}

function rowsOf({ times, peak, loaded, bytes }: Level): Row[] {
  const rates = loaded.map(({ perSecond }) => perSecond);
  const scenario = `${times} times overload`;
  const refused = loaded.reduce((sum, { tally }) => sum + tally.refused, 0);
  return [
    {
      scenario,
      metric: "answers",
      unit: "asks/s",
      base: quantile(
        peak.map(({ perSecond }) => perSecond),
        0.5,
      ),
      value: quantile(rates, 0.5),
      ratio: spreadOf(rates.map((rate, pair) => rate / (peak[pair]?.perSecond ?? Number.NaN))),
      ...(times === GOAL_TIMES ? { goal: { of: "ratio", atLeast: 0.9 } } : {}),
      note: refused > 0 ? `${refused} refused` : "none refused",
    },
    {
      scenario,
      metric: "most-served to least-served user",
      unit: "times",
      value: quantile(loaded.map(unfairness), 0.5),
      goal: { of: "value", atMost: 1.2 },
    },
    {
      scenario,
      metric: "memory in the first and last round",
      unit: "MB",
      base: bytes.first / 1e6,
      value: bytes.last / 1e6,
    },
  ];
}

export const OVERLOAD: Scenario = {
  name: "overload",
  about: "16 slots of 10 ms with 2 (the base), 10 and 100 times as many callers, half of them of one user",
  async run(context) {
    const { workshop, rounds } = context;
    const data = await makeData(workshop, "overload", { users: USERS });
    const target = await workshop.startOurs({ data });
    await connectAgents(workshop, target, { protocol: "v1", count: AGENTS });
    await round(context, target, 2);
    const rows: Row[] = [];
    for (const times of [GOAL_TIMES, FULL_TIMES]) {
      const bytes = { first: 0, last: 0 };
      const peak: Round[] = [];
      const loaded: Round[] = [];
      for (let pair = 0; pair < rounds; pair++) {
        peak.push(await round(context, target, 2));
        loaded.push(await round(context, target, times));
        bytes.last = residentBytes(target.pid);
        bytes.first ||= bytes.last;
      }
      rows.push(...rowsOf({ times, peak, loaded, bytes }));
    }
    return rows;
  },
};

function round({ workshop, seconds }: Context, target: Target, times: number): Promise<Round> {
  return measure({ target, agentsPid: workshop.agents.pid }, loadOf(times), seconds);
}
