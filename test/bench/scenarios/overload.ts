import { oneLoad, rowsOf } from "../compare.ts";
import { dataFor, tokenOf } from "../data-folder.ts";
import { askExchange } from "../exchanges.ts";
import type { Load, Round } from "../measure.ts";
import type { Row } from "../rows.ts";
import type { Context, Scenario } from "../scenario.ts";
import { AGAIN, type Measured, measureSides } from "../sides.ts";
import { spreadOf } from "../statistics.ts";
import { connectAgents } from "../targets.ts";

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

async function startOverloaded({ workshop }: Context, times: number) {
  const data = await dataFor(workshop, "overload", { users: USERS });
  const target = await workshop.startOurs({ data });
  await connectAgents(workshop, target, { protocol: "v1", count: AGENTS });
  return oneLoad(target, loadOf(times));
}

function tableOf(measured: Measured, times: number): Row[] {
  const scenario = `${times} times overload`;
  const loaded = measured.rounds(scenario);
  const refused = loaded.reduce((sum, { tally }) => sum + tally.refused, 0);
  const goals = times === GOAL_TIMES ? ({ perSecond: { of: "ratio", atLeast: 0.9 } } as const) : {};
  const metrics = ["perSecond", "residentMb"] as const;
  const rows = rowsOf(measured, {
    scenario,
    unit: "answer",
    base: "peak",
    value: scenario,
    metrics,
    goals,
    same: SAME,
  });
  const spread = spreadOf(loaded.map(unfairness));
  return [
    ...rows.map((row) =>
      row.metric === "rate" ? { ...row, note: refused > 0 ? `${refused} refused` : "none refused" } : row,
    ),
    {
      scenario,
      metric: "most-served to least-served user",
      unit: "times",
      value: spread.median,
      spread,
      machineLoad: measured.machineLoad,
      goal: { of: "value", atMost: 1.2 },
    },
  ];
}

const SAME = { of: "peak", again: AGAIN };

export const OVERLOAD: Scenario = {
  name: "overload",
  about: "16 slots of 10 ms with 2 (the base), 10 and 100 times as many callers, half of them of one user",
  sets: [],
  async run(context) {
    const measured = await measureSides(context, {
      peak: () => startOverloaded(context, 2),
      [`${GOAL_TIMES} times overload`]: () => startOverloaded(context, GOAL_TIMES),
      [`${FULL_TIMES} times overload`]: () => startOverloaded(context, FULL_TIMES),
      [AGAIN]: () => startOverloaded(context, 2),
    });
    return [GOAL_TIMES, FULL_TIMES].flatMap((times) => tableOf(measured, times));
  },
};
