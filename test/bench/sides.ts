import { loadavg } from "node:os";
import { type Load, measure, type Round } from "./measure.ts";
import type { Context } from "./scenario.ts";
import type { Target } from "./workshop.ts";

/** A target with what it is measured with. */
export interface Side {
  target: Target;
  /** The loads by their names. A side is not measured with those of other sides that it lacks. */
  loads: Readonly<Record<string, Load>>;
  /** The process that answers. Default: that of the agents. */
  answeringPid?: number;
  /** Called before the target is stopped. Throws if something was wrong. */
  end?(): void;
}

/** Starts a side anew each time. */
export type Start = () => Promise<Side>;

/** The rounds of each load on each side. Rounds with the same index were measured one right after the other. */
export interface Measured {
  rounds(side: string, load?: string): readonly Round[];
  /** The load average of the machine when the last round ended. */
  machineLoad: number;
}

/** The load of a side that has one only. */
export const ONLY = "load";

/** The name of the side that is a second process of the same code as another one. */
export const AGAIN = "again";

/**
 * Measures sides in short rounds in turn, so that the noise of the machine affects all alike; the side that
 * begins changes from round to round. All sides are started anew several times, as two processes of the same
 * code differ by more than their rounds do.
 */
export async function measureSides(
  context: Context,
  starts: Readonly<Record<string, Start>>,
): Promise<Measured> {
  const all: Rounds = new Map();
  for (let restart = 0; restart < context.restarts; restart++) {
    context.progress(`start ${restart + 1} of ${context.restarts} of ${Object.keys(starts).join(", ")}`);
    const sides = await startAll(starts);
    for (const load of new Set(sides.flatMap(([, { loads }]) => Object.keys(loads)))) {
      const having = sides.filter(([, { loads }]) => load in loads);
      await measureLoad(context, { sides: having, load, restart }, all);
    }
    for (const [, side] of sides) side.end?.();
    await context.workshop.stopTargets();
  }
  const [machineLoad = Number.NaN] = loadavg();
  return { rounds: (side, load = ONLY) => all.get(`${side} ${load}`) ?? [], machineLoad };
}

type Rounds = Map<string, Round[]>;
type NamedSide = [name: string, side: Side];

async function measureLoad(
  context: Context,
  { sides, load, restart }: { sides: readonly NamedSide[]; load: string; restart: number },
  all: Rounds,
): Promise<void> {
  const { rounds, restarts } = context;
  const here = Math.ceil((rounds - restart) / restarts);
  for (const [, side] of sides) await warmUp(context, side, load);
  for (let round = 0; round < here; round++) {
    for (const [name, side] of turned(sides, restart + round))
      all.getOrInsertComputed(`${name} ${load}`, () => []).push(await one(context, side, load));
  }
}

/** The most time of a round of which only the number of requests is used. */
const WARM_UP_ROUND_S = 0.3;

/**
 * Loads a side until the runtime's compilers have optimized the code, as they do in any long-running server. A
 * load that needs none gets one round, too, as its first one may use code that the loads before it do not.
 */
async function warmUp(context: Context, side: Side, load: string): Promise<void> {
  const enough = side.loads[load]?.warmUpRequests ?? context.warmUpRequests;
  const end = performance.now() + context.warmUpSeconds * 1000;
  let requests = 0;
  do {
    const round = await one(context, side, load, Math.min(WARM_UP_ROUND_S, context.warmUpSeconds));
    requests += round.tally.latenciesMs.length;
  } while (requests < enough && performance.now() < end);
}

async function startAll(starts: Readonly<Record<string, Start>>): Promise<NamedSide[]> {
  const sides: NamedSide[] = [];
  for (const [name, start] of Object.entries(starts)) sides.push([name, await start()]);
  return sides;
}

function one(context: Context, side: Side, name: string, seconds = context.seconds): Promise<Round> {
  const load = side.loads[name];
  if (!load) throw new Error(`A side has no load ${name}.`);
  return measure(
    { target: side.target, agentsPid: side.answeringPid ?? context.workshop.agents.pid },
    load,
    seconds,
  );
}

/** Returns the list, which begins at another place each time. */
function turned<Item>(list: readonly Item[], by: number): Item[] {
  const at = by % list.length;
  return [...list.slice(at), ...list.slice(0, at)];
}
