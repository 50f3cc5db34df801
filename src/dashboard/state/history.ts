import type { LiveFrame, LiveSample, Overview } from "../api/types.ts";

/** One value per second; null if nothing is known about that second. */
export type Series = (number | null)[];

/** The last 15 minutes, second by second. */
export interface History {
  /** The start of each second, in seconds since 1970. */
  xs: number[];
  series: Record<keyof Overview["samples"] & keyof LiveSample, Series>;
}

/** The live numbers: those of the newest frame, with earlier ones as a history. */
export interface LiveOverview extends Omit<Overview, "samples"> {
  history: History;
}

const SECONDS_MAX = 900;
const ASKS_MAX = 100;

/**
 * Returns the overview after a frame; undefined if a second came before there was an overview to add it to.
 */
export function takeFrame(overview: LiveOverview | undefined, frame: LiveFrame): LiveOverview | undefined {
  if (frame.type === "overview") return fromOverview(frame);
  if (!overview) return undefined;
  const { type: _, sample, models = overview.models, problems = overview.problems, asks, ...now } = frame;
  return {
    ...overview,
    ...now,
    models,
    problems,
    asks: [...asks, ...overview.asks].slice(0, ASKS_MAX),
    history: append(overview.history, sample),
  };
}

export function fromOverview(overview: Overview): LiveOverview {
  const { samples, ...now } = overview;
  const { from, every_ms, ...series } = samples;
  const begin = Math.round(Date.parse(from) / 1000);
  return { ...now, history: { xs: series.asks.map((_, index) => begin + index), series } };
}

/** Adds a second. Fills seconds that were skipped with nulls, and drops those older than 15 minutes. */
export function append(history: History, { at, ...sample }: LiveSample): History {
  const x = Math.round(Date.parse(at) / 1000);
  const last = history.xs.at(-1) ?? x - 1;
  if (x <= last) return history;
  const missing = Math.min(x - last - 1, SECONDS_MAX);
  const gap = Array.from({ length: missing }, (_, index) => x - missing + index);
  const series = { ...history.series };
  for (const name of Object.keys(sample) as (keyof typeof sample)[]) {
    series[name] = [...series[name], ...gap.map(() => null), sample[name]].slice(-SECONDS_MAX);
  }
  return { xs: [...history.xs, ...gap, x].slice(-SECONDS_MAX), series };
}

/** Returns the sum over the newest `seconds`; 0 if none are known. */
export function sum(series: Series, seconds = SECONDS_MAX): number {
  return series.slice(-seconds).reduce<number>((all, value) => all + (value ?? 0), 0);
}

/** Returns the mean over the newest `seconds`; undefined if none are known. */
export function mean(series: Series, seconds: number): number | undefined {
  const known = knownOf(series.slice(-seconds));
  return known.length > 0 ? meanOf(known) : undefined;
}

/** Returns the median over the newest `seconds`; undefined if none are known. */
export function median(series: Series, seconds: number): number | undefined {
  const known = knownOf(series.slice(-seconds)).sort((a, b) => a - b);
  return known[Math.floor(known.length / 2)];
}

function knownOf(series: Series): number[] {
  return series.filter((value) => value !== null);
}

/**
 * Combines the seconds of a series into steps of `stepS` seconds. `fold` combines the known values of a step;
 * the result is null if there are none. Steps begin at multiples of their length, so that a point does not
 * change when the next second arrives.
 */
export function foldSteps(xs: readonly number[], series: Series, stepS: number, fold: Fold): Series {
  const steps = Map.groupBy(series.keys(), (index) => Math.floor((xs[index] ?? 0) / stepS));
  return [...steps.values()].map((indexes) => {
    const known = knownOf(indexes.map((index) => series[index] ?? null));
    return known.length > 0 ? fold(known) : null;
  });
}

/** Returns the start of each step. */
export function stepStarts(xs: readonly number[], stepS: number): number[] {
  return [...new Set(xs.map((x) => Math.floor(x / stepS) * stepS))];
}

export type Fold = (known: readonly number[]) => number;
export const meanOf: Fold = (known) => known.reduce((all, value) => all + value, 0) / known.length;
export const maxOf: Fold = (known) => Math.max(...known);
