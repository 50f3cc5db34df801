import { loadavg } from "node:os";
import { type EventTimes, timeAllLeaving, timeCoreEvents } from "../core-events.ts";
import type { Row } from "../rows.ts";
import type { Context, Scenario } from "../scenario.ts";
import { quantile, spreadOf } from "../statistics.ts";

/** The numbers of idle agents and waiting asks; the first is what the others are compared with. */
const LEVELS = [
  { agents: 10, waiting: 200 },
  { agents: 100, waiting: 1_000 },
  { agents: 1_000, waiting: 1_000 },
  { agents: 10_000, waiting: 10_000 },
];

const TURN_MICROS_MAX = 20_000;
const FLAT = 1.3;

type Level = (typeof LEVELS)[number];

/** The median time of each event, in each repetition. */
type Medians = Map<string, number[]>;

interface Measured {
  medians: Medians;
  longest: Map<string, number>;
  cut: Set<string>;
}

async function measureLevel({ restarts }: Context, level: Level): Promise<Measured> {
  const measured: Measured = { medians: new Map(), longest: new Map(), cut: new Set() };
  for (let restart = 0; restart < restarts; restart++) {
    for (const times of [...(await timeCoreEvents(level)), await timeAllLeaving(level)])
      note(measured, times);
  }
  return measured;
}

function note({ medians, longest, cut }: Measured, { event, eachMicros, isCut }: EventTimes): void {
  medians.getOrInsertComputed(event, () => []).push(quantile(eachMicros, 0.5));
  longest.set(event, Math.max(longest.get(event) ?? 0, ...eachMicros));
  if (isCut) cut.add(event);
}

const isTurn = (event: string): boolean => /in one turn|last agent/.test(event);

function rowsOf(scenario: string, base: Measured, again: Measured, level: Measured): Row[] {
  const machineLoad = loadavg()[0] ?? Number.NaN;
  return [...level.medians].map(([event, values]) => {
    const from = quantile(base.medians.get(event) ?? [], 0.5);
    const ratioTo = (of: readonly number[]) => spreadOf(of.map((value) => value / from));
    const longest = `longest ${Math.round(level.longest.get(event) ?? Number.NaN).toLocaleString("en")} µs`;
    return {
      ...{ scenario, metric: event, unit: "µs", base: from, value: quantile(values, 0.5), machineLoad },
      ...{ ratio: ratioTo(values), same: ratioTo(again.medians.get(event) ?? []) },
      goal: isTurn(event)
        ? ({ of: "value", atMost: TURN_MICROS_MAX } as const)
        : ({ of: "ratio", atMost: FLAT } as const),
      note: level.cut.has(event) ? `${longest}; given up before the end` : longest,
    };
  });
}

export const GROWTH_CORE: Scenario = {
  name: "growth-core",
  about: "the time of each event in the core alone, without sockets, among many agents and waiting asks",
  isQuick: true,
  async run(context) {
    const levels = LEVELS.filter(
      ({ agents, waiting }) => Math.max(agents, waiting) <= Math.max(200, context.idleAgents),
    );
    const [least = LEVELS[0], ...more] = levels;
    if (!least) return [];
    // The first one warms up the compilers.
    await measureLevel(context, least);
    const base = await measureLevel(context, least);
    const again = await measureLevel(context, least);
    const rows: Row[] = [];
    for (const level of more) {
      const { agents, waiting } = level;
      const name = `core, ${agents.toLocaleString("en")} agents, ${waiting.toLocaleString("en")} waiting`;
      const measured = await measureLevel(context, level);
      const scenario = `${name}, compared with ${least.agents} and ${least.waiting}`;
      rows.push(...rowsOf(scenario, base, again, measured));
      if (measured.cut.size > 0) break;
    }
    return rows;
  },
};
