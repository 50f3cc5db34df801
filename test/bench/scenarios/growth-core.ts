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

/** Each start is repeated this often, as one takes a second at most. */
const REPETITIONS = 3;

/** Large enough to compile all code before anything is measured. */
const WARM_UP = { agents: 1_000, waiting: 1_000 };

type Level = (typeof LEVELS)[number];

/** The events of one level. Those with the same index were measured one right after the other. */
class Measured {
  /** The median time of each event in each repetition. */
  readonly medians = new Map<string, number[]>();
  readonly longest = new Map<string, number>();
  readonly cut = new Set<string>();

  async add(level: Level): Promise<void> {
    for (const times of [...(await timeCoreEvents(level)), await timeAllLeaving(level)]) this.#note(times);
  }

  #note({ event, eachMicros, isCut }: EventTimes): void {
    this.medians.getOrInsertComputed(event, () => []).push(quantile(eachMicros, 0.5));
    this.longest.set(event, Math.max(this.longest.get(event) ?? 0, ...eachMicros));
    if (isCut) this.cut.add(event);
  }
}

const isTurn = (event: string): boolean => /in one turn|last agent/.test(event);

function rowsOf(scenario: string, base: Measured, again: Measured, level: Measured): Row[] {
  const machineLoad = loadavg()[0] ?? Number.NaN;
  return [...level.medians].map(([event, values]) => {
    const bases = base.medians.get(event) ?? [];
    const ratioOf = (of: readonly number[]) =>
      spreadOf(of.map((value, index) => value / (bases[index] ?? Number.NaN)));
    const longest = `longest ${Math.round(level.longest.get(event) ?? Number.NaN).toLocaleString("en")} µs`;
    return {
      ...{ scenario, metric: event, unit: "µs", machineLoad },
      ...{ base: quantile(bases, 0.5), value: quantile(values, 0.5), spread: spreadOf(values) },
      ...{ ratio: ratioOf(values), same: ratioOf(again.medians.get(event) ?? []) },
      goal: isTurn(event)
        ? ({ of: "value", atMost: TURN_MICROS_MAX } as const)
        : ({ of: "ratio", atMost: FLAT } as const),
      note: level.cut.has(event) ? `${longest}; given up before the end` : longest,
    };
  });
}

/** Measures a level and, before and after each repetition, the least one. */
async function rowsOfLevel(context: Context, least: Level, level: Level) {
  const [base, again, measured] = [new Measured(), new Measured(), new Measured()];
  for (let repetition = 0; repetition < context.restarts * REPETITIONS; repetition++) {
    await base.add(least);
    await measured.add(level);
    await again.add(least);
    if (measured.cut.size > 0) break;
  }
  const name = `core, ${level.agents.toLocaleString("en")} agents, ${level.waiting.toLocaleString("en")} waiting`;
  const scenario = `${name}, compared with ${least.agents} and ${least.waiting}`;
  return { rows: rowsOf(scenario, base, again, measured), isCut: measured.cut.size > 0 };
}

export const GROWTH_CORE: Scenario = {
  name: "growth-core",
  about: "the time of each event in the core alone, without sockets, among many agents and waiting asks",
  sets: ["quick", "goals"],
  async run(context) {
    const levels = LEVELS.filter(
      ({ agents, waiting }) => Math.max(agents, waiting) <= Math.max(200, context.idleAgents),
    );
    const [least, ...more] = levels;
    if (!least) return [];
    for (let repetition = 0; repetition < REPETITIONS; repetition++) await new Measured().add(WARM_UP);
    const rows: Row[] = [];
    for (const level of more) {
      context.progress(`${level.agents} agents, ${level.waiting} waiting`);
      const measured = await rowsOfLevel(context, least, level);
      rows.push(...measured.rows);
      if (measured.isCut) break;
    }
    return rows;
  },
};
