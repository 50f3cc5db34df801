import type { Load, Round } from "./measure.ts";
import { measure } from "./measure.ts";
import type { Goal, Row } from "./rows.ts";
import type { Context } from "./scenario.ts";
import { quantile, spreadOf } from "./statistics.ts";
import type { Target } from "./workshop.ts";

/** A target with its load. */
export interface Side {
  target: Target;
  load: Load;
}

export interface Pairs {
  base: Round[];
  value: Round[];
}

/** The time that the runtime's compilers need to optimize the code, as they do in any long-running server. */
const FIRST_WARM_UP_S = 5;

/**
 * Measures both sides in short rounds in turn, so that the noise of the machine affects both alike. The side
 * that begins changes from pair to pair.
 */
export async function measurePairs(context: Context, base: Side, value: Side): Promise<Pairs> {
  const { seconds, rounds, workshop } = context;
  const one = ({ target, load }: Side, length = seconds) =>
    measure({ target, agentsPid: workshop.agents.pid }, load, length);
  await one(base, FIRST_WARM_UP_S);
  await one(value, FIRST_WARM_UP_S);
  const pairs: Pairs = { base: [], value: [] };
  for (let pair = 0; pair < rounds; pair++) {
    const first = pair % 2 === 0 ? "base" : "value";
    const second = first === "base" ? "value" : "base";
    pairs[first].push(await one(first === "base" ? base : value));
    pairs[second].push(await one(second === "base" ? base : value));
  }
  return pairs;
}

type Metric = "perSecond" | "p50Ms" | "p99Ms" | "firstP50Ms" | "cpuMicros";

interface RowsOptions {
  scenario: string;
  /** The unit that `perSecond` counts. */
  unit: string;
  metrics: readonly Metric[];
  goals?: { [Name in Metric]?: Goal };
}

/** Returns a row for each metric. The first one also has the shares of a core that each process used. */
export function rowsOf({ base, value }: Pairs, options: RowsOptions): Row[] {
  const { scenario, unit, metrics, goals } = options;
  return metrics.map((name, index) => {
    const [metric, unitOf] = namesOf(name, unit);
    const goal = goals?.[name];
    return {
      scenario,
      metric,
      unit: unitOf,
      base: quantile(
        base.map((round) => round[name]),
        0.5,
      ),
      value: quantile(
        value.map((round) => round[name]),
        0.5,
      ),
      ratio: spreadOf(value.map((round, pair) => round[name] / (base[pair]?.[name] ?? Number.NaN))),
      ...(goal ? { goal } : {}),
      ...(index === 0 ? { note: `${coresOf(base)}; ${coresOf(value)}` } : {}),
    };
  });
}

function namesOf(name: Metric, unit: string): [metric: string, unit: string] {
  switch (name) {
    case "perSecond":
      return ["rate", `${unit}s/s`];
    case "p50Ms":
      return ["latency p50", "ms"];
    case "p99Ms":
      return ["latency p99", "ms"];
    case "firstP50Ms":
      return ["first delta p50", "ms"];
    case "cpuMicros":
      return ["CPU", `µs/${unit}`];
  }
}

/** Returns the median of the cores that the server, the callers, the agents and other programs used. */
function coresOf(rounds: readonly Round[]): string {
  const of = (who: keyof Round["cores"]) =>
    quantile(
      rounds.map(({ cores }) => cores[who]),
      0.5,
    ).toFixed(2);
  return `cores ${of("target")} + ${of("bench")} + ${of("agents")}, others ${of("others")}`;
}
