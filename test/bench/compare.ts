import type { Load, Round } from "./measure.ts";
import type { Goal, Row } from "./rows.ts";
import type { Context } from "./scenario.ts";
import { AGAIN, type Measured, measureSides, ONLY, type Start } from "./sides.ts";
import { quantile, spreadOf } from "./statistics.ts";
import type { Target } from "./workshop.ts";

type Metric = "perSecond" | "p50Ms" | "p99Ms" | "firstP50Ms" | "cpuMicros" | "residentMb";

interface RowsOptions {
  scenario: string;
  /** The unit that `perSecond` counts. */
  unit: string;
  metrics: readonly Metric[];
  goals?: { readonly [Name in Metric]?: Goal };
}

interface Sides {
  base: Start;
  value: Start;
}

/** The rows that are reported about one of the loads of two sides. */
export type Table = RowsOptions & { load: string };

/** Compares two sides under each of their loads. A further process of the second one shows the noise. */
export async function compareLoads(
  context: Context,
  { base, value }: Sides,
  tables: readonly Table[],
): Promise<Row[]> {
  const measured = await measureSides(context, { base, value, [AGAIN]: value });
  return tables.flatMap((table) => rowsOf(measured, { ...table, base: "base", value: "value" }));
}

/** Compares two sides that have one load. */
export function compare(context: Context, sides: Sides, options: RowsOptions): Promise<Row[]> {
  return compareLoads(context, sides, [{ ...options, load: ONLY }]);
}

/** Returns a side with one load. */
export function oneLoad(target: Target, load: Load) {
  return { target, loads: { [ONLY]: load } };
}

interface CompareOptions extends RowsOptions {
  /** The names of the sides, and the load. */
  base: string;
  value: string;
  load?: string;
  /** The side that is a second process of the code of another one, and that other one. */
  same?: { of: string; again: string };
}

/** Returns a row for each metric. The first one also has the cores that each process used. */
export function rowsOf(measured: Measured, options: CompareOptions): Row[] {
  const { scenario, unit, metrics, goals, base, value, load = ONLY } = options;
  const { of, again } = options.same ?? { of: value, again: AGAIN };
  const rounds = (side: string) => measured.rounds(side, load);
  return metrics.map((name, index) => {
    const [metric, unitOf] = namesOf(name, unit);
    const goal = goals?.[name];
    return {
      scenario,
      metric,
      unit: unitOf,
      base: medianOf(rounds(base), name),
      value: medianOf(rounds(value), name),
      ratio: ratioOf(rounds(base), rounds(value), name),
      same: ratioOf(rounds(of), rounds(again), name),
      machineLoad: measured.machineLoad,
      ...(goal ? { goal } : {}),
      ...(index === 0 ? { note: `${coresOf(rounds(base))}; ${coresOf(rounds(value))}` } : {}),
    };
  });
}

function medianOf(rounds: readonly Round[], name: Metric): number {
  const values = rounds.map((round) => round[name]);
  return quantile(values, 0.5);
}

function ratioOf(base: readonly Round[], value: readonly Round[], name: Metric) {
  return spreadOf(value.map((round, index) => round[name] / (base[index]?.[name] ?? Number.NaN)));
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
    case "residentMb":
      return ["memory", "MB"];
  }
}

/** Returns the median of the cores that the server, the callers, the agents and other programs used. */
function coresOf(rounds: readonly Round[]): string {
  const of = (who: keyof Round["cores"]) => {
    const values = rounds.map(({ cores }) => cores[who]);
    return quantile(values, 0.5).toFixed(2);
  };
  return `cores ${of("target")} + ${of("bench")} + ${of("agents")}, others ${of("others")}`;
}
