import { loadavg } from "node:os";
import { attempt } from "../attempt.ts";
import { cpuMicros } from "../process-stats.ts";
import type { AgentsCommand } from "../processes/agents-protocol.ts";
import type { Row } from "../rows.ts";
import { type Context, type Scenario, Skipped } from "../scenario.ts";
import { spreadOf } from "../statistics.ts";
import { type TurnWatch, watchTurns } from "../turn-watch.ts";
import { BUSY_GROUP } from "../waiting.ts";
import type { Target } from "../workshop.ts";
import { filesMissing, startCrowded } from "./growth.ts";

/**
 * The numbers of idle agents and waiting requests. The server has an open file for each, and many systems allow it
 * 20,000 of them.
 */
const LEVELS = [
  { agents: 10, waiting: 10 },
  { agents: 100, waiting: 1_000 },
  { agents: 1_000, waiting: 1_000 },
  { agents: 10_000, waiting: 9_500 },
];

/** The number of equal events, as CPU time is known in steps of 10 ms only. */
const EVENTS = 200;
/** Longer than the server waits here for an agent that left, and shorter than for one that is silent. */
const SETTLE_MS = 500;
/** The CPU time of fewer events is not shown, as it is less than such a step. */
const EVENTS_MIN = 100;
/** An event that takes longer is given up, and so are the higher levels. */
const EVENT_MS_MAX = 15_000;

/** The most idle agents that leave at once. */
const LEAVING_MAX = 1_000;

/** The longest that the event loop may be held up. */
const TURN_MS_MAX = 20;

/** The name of the event that shows the noise. */
const NOTHING = "nothing happens";

type Command = AgentsCommand extends infer One
  ? One extends AgentsCommand
    ? Omit<One, "number">
    : never
  : never;

interface Event {
  about: string;
  /** The number of equal events that it consists of, for the CPU time of each. */
  count: number;
  command: Command;
}

function eventsOf(agents: number): Event[] {
  return [
    { about: NOTHING, count: 1, command: { do: "update", group: "idle", count: 0 } },
    {
      about: "an agent's update",
      count: EVENTS,
      command: { do: "update", group: "idle", count: EVENTS },
    },
    { about: "a slot becomes free", count: EVENTS, command: { do: "finish", count: EVENTS } },
    {
      about: "idle agents leave at once",
      count: Math.min(agents, LEAVING_MAX),
      command: { do: "leave", group: "idle", count: LEAVING_MAX },
    },
    {
      about: "the last agent of the waiting requests leaves",
      count: 1,
      command: { do: "leave", group: BUSY_GROUP, count: 1 },
    },
  ];
}

interface Observed {
  longestMs: number;
  cpuMicros: number;
  seconds: number;
  isOver: boolean;
}

async function observe(context: Context, target: Target, watch: TurnWatch, event: Event): Promise<Observed> {
  const before = cpuMicros(target.pid);
  const began = performance.now();
  await watch.longestMs();
  const done = context.workshop.agents.carryOut(
    event.command as Parameters<typeof context.workshop.agents.carryOut>[0],
  );
  const late = Bun.sleep(EVENT_MS_MAX).then(() => "late" as const);
  const first = await Promise.race([done.then(() => Bun.sleep(SETTLE_MS)), late]);
  return {
    longestMs: await watch.longestMs(),
    cpuMicros: cpuMicros(target.pid) - before,
    seconds: (performance.now() - began) / 1000,
    isOver: first === "late",
  };
}

/** The events of one start, by what they are about. */
type Level = ReadonlyMap<string, Observed>;

async function observeLevel(context: Context, { agents, waiting }: (typeof LEVELS)[number]) {
  const { target, end } = await startCrowded(context, { lacking: agents, waiting });
  const watch = await watchTurns(target.port);
  await Bun.sleep(SETTLE_MS);
  const observed = new Map<string, Observed>();
  for (const event of eventsOf(agents)) {
    // Fewer wait than are finished.
    if (event.command.do === "finish" && waiting < event.count) continue;
    const seen = await observe(context, target, watch, event);
    observed.set(event.about, seen);
    if (seen.isOver) break;
  }
  watch.stop();
  end?.();
  await target.stop();
  await context.workshop.agents.carryOut({ do: "close" });
  return observed;
}

/** Returns the CPU time of each of the events, without that of the requests that watch. */
function eachMicros(starts: readonly Level[], { about, count }: Event): number[] {
  return starts.flatMap((seen) => {
    const [quiet, busy] = [seen.get(NOTHING), seen.get(about)];
    if (!quiet || !busy) return [];
    return (busy.cpuMicros - (quiet.cpuMicros / quiet.seconds) * busy.seconds) / count;
  });
}

function rowsOf(scenario: string, event: Event, starts: readonly Level[]): Row[] {
  const observed = starts.flatMap((seen) => seen.get(event.about) ?? []);
  if (observed.length === 0) return [];
  const longest = spreadOf(observed.map(({ longestMs }) => longestMs));
  const each = spreadOf(eachMicros(starts, event));
  const machineLoad = loadavg()[0] ?? Number.NaN;
  const isOver = observed.some((one) => one.isOver);
  return [
    {
      ...{ scenario, metric: `${event.about}: longest turn`, unit: "ms", value: longest.median, machineLoad },
      ...(event.about === NOTHING ? {} : { goal: { of: "value", atMost: TURN_MS_MAX } }),
      ...(isOver ? { note: `given up after ${EVENT_MS_MAX / 1000} s` } : {}),
      spread: longest,
    },
    ...(event.count >= EVENTS_MIN
      ? [
          {
            ...{ scenario, metric: `${event.about}: CPU`, unit: "µs each", value: each.median, machineLoad },
            spread: each,
          },
        ]
      : []),
  ];
}

async function rowsOfLevel(context: Context, scenario: string, level: (typeof LEVELS)[number]) {
  const missing = filesMissing(level.agents + level.waiting);
  if (missing !== undefined) throw new Skipped(missing);
  const starts: Level[] = [];
  for (let restart = 0; restart < context.restarts; restart++) {
    context.progress(`start ${restart + 1} of ${context.restarts}: ${scenario}`);
    starts.push(await observeLevel(context, level));
    if ([...(starts.at(-1)?.values() ?? [])].some(({ isOver }) => isOver)) break;
  }
  return eventsOf(level.agents).flatMap((event) => rowsOf(scenario, event, starts));
}

export const GROWTH_EVENTS: Scenario = {
  name: "growth-events",
  about:
    "how long an update, a free slot and leaving agents hold up the server among many agents and requests",
  sets: ["quick", "goals"],
  async run(context) {
    const rows: Row[] = [];
    for (const level of LEVELS) {
      const { agents, waiting } = level;
      if (Math.max(agents, waiting) > context.idleAgents) break;
      const scenario = `growth, ${agents.toLocaleString("en")} agents, ${waiting.toLocaleString("en")} waiting`;
      rows.push(...(await attempt(context, scenario, () => rowsOfLevel(context, scenario, level))));
    }
    return rows;
  },
};
