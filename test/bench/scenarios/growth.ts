import { attempt } from "../attempt.ts";
import { oneLoad, rowsOf } from "../compare.ts";
import { chatExchange } from "../exchanges.ts";
import { openFilesMax } from "../process-stats.ts";
import type { Row } from "../rows.ts";
import { type Context, type Scenario, Skipped } from "../scenario.ts";
import { AGAIN, measureSides, type Side, type Start } from "../sides.ts";
import { addUsers, connectAgents, V2_AGENTS } from "../targets.ts";
import { fillQueue, WAITING_FLAGS } from "../waiting.ts";

const CALLERS = 32;
const ADDRESSES = 4;
const FILES_SPARE = 500;

/** The models of the agents that lack the one that callers ask for. */
export const OTHER_MODELS = Array.from({ length: 100 }, (_, index) => `other-${index}`);

const AGENT_LEVELS = [10, 100, 1_000, 10_000];
const WAITING_LEVELS = [0, 100, 1_000, 10_000];
/** A rate that grows or falls by less than this counts as flat. */
const FLAT = 1.3;

interface Crowding {
  lacking?: number;
  having?: number;
  waiting?: number;
}

/** Starts our server with the agents that work, and the idle agents and waiting requests beside them. */
export async function startCrowded(
  { workshop }: Context,
  { lacking = 0, having = 0, waiting = 0 }: Crowding,
): Promise<Side> {
  const target = await workshop.startOurs({ args: WAITING_FLAGS });
  await connectAgents(workshop, target, V2_AGENTS);
  const idle = { protocol: "v2", addresses: ADDRESSES, group: "idle" } as const;
  if (lacking > 0) await connectAgents(workshop, target, { ...idle, count: lacking, models: OTHER_MODELS });
  if (having > 0) await connectAgents(workshop, target, { ...idle, count: having });
  const connections = await fillQueue(workshop, target, waiting);
  const end = () => {
    for (const connection of connections) connection.close();
  };
  const tokenOf = await addUsers(target);
  return { ...oneLoad(target, { callers: CALLERS, exchange: chatExchange(), tokenOf }), end };
}

interface Curve {
  about: string;
  levels: readonly number[];
  crowding(level: number): Crowding;
}

const CURVES: readonly Curve[] = [
  { about: "idle agents without the model", levels: AGENT_LEVELS, crowding: (lacking) => ({ lacking }) },
  { about: "idle agents with the model", levels: AGENT_LEVELS, crowding: (having) => ({ having }) },
  {
    about: "waiting requests for another model",
    levels: WAITING_LEVELS,
    crowding: (waiting) => ({ waiting }),
  },
];

const nameOf = (level: number) => level.toLocaleString("en");

async function curve(context: Context, { about, levels, crowding }: Curve): Promise<Row[]> {
  const reached = levels.filter((level) => level <= context.idleAgents);
  const [least = 0] = reached;
  const start =
    (level: number): Start =>
    () =>
      startCrowded(context, crowding(level));
  const sides = Object.fromEntries(reached.map((level) => [nameOf(level), start(level)]));
  const measured = await measureSides(context, { ...sides, [AGAIN]: start(least) });
  return reached.slice(1).flatMap((level) =>
    rowsOf(measured, {
      scenario: `growth, chat beside ${nameOf(level)} ${about}, compared with ${nameOf(least)}`,
      unit: "ask",
      metrics: ["perSecond", "cpuMicros"],
      goals: {
        perSecond: { of: "ratio", atLeast: 1 / FLAT },
        cpuMicros: { of: "ratio", atMost: FLAT },
      },
      ...{ base: nameOf(least), value: nameOf(level), same: { of: nameOf(least), again: AGAIN } },
    }),
  );
}

/** Returns why this many sockets cannot be open in one process, if they cannot. */
export function filesMissing(count: number): string | undefined {
  if (openFilesMax() >= count + FILES_SPARE) return undefined;
  return `It needs ${count + FILES_SPARE} open files, but ulimit -n is ${openFilesMax()}.`;
}

export const GROWTH: Scenario = {
  name: "growth",
  about:
    "chat completions by 32 callers beside up to 10,000 idle agents, and up to 10,000 requests that wait",
  sets: ["goals"],
  async run(context) {
    // All levels are connected to the one process of the agents at the same time.
    const missing = filesMissing(context.idleAgents * 1.2);
    if (missing !== undefined) throw new Skipped(missing);
    const rows: Row[] = [];
    for (const one of CURVES)
      rows.push(...(await attempt(context, `growth, ${one.about}`, () => curve(context, one))));
    return rows;
  },
};
