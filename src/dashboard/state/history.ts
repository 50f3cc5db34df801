import type { LiveFrame, LiveSample, Overview } from "../api/types.ts";

/** The course of one figure; null for a second that nothing was heard of. */
export type Series = (number | null)[];

/** The last 15 minutes, a second each. */
export interface History {
  /** When each second began, in seconds since 1970. */
  xs: number[];
  series: Record<keyof Overview["samples"] & keyof LiveSample, Series>;
}

/** What is known of the pool: the newest frame's figures, and those before it as a history. */
export interface LiveOverview extends Omit<Overview, "samples"> {
  history: History;
}

const SECONDS_MAX = 900;
const ASKS_MAX = 100;

/** Gives a new pool; undefined where a second came before there was anything to add it to. */
export function takeFrame(pool: LiveOverview | undefined, frame: LiveFrame): LiveOverview | undefined {
  if (frame.type === "overview") return fromOverview(frame);
  if (!pool) return undefined;
  const { type: _, sample, models = pool.models, asks, ...now } = frame;
  return {
    ...pool,
    ...now,
    models,
    asks: [...asks, ...pool.asks].slice(0, ASKS_MAX),
    history: append(pool.history, sample),
  };
}

export function fromOverview(overview: Overview): LiveOverview {
  const { samples, ...now } = overview;
  const { from, every_ms, ...series } = samples;
  const begin = Math.round(Date.parse(from) / 1000);
  return { ...now, history: { xs: series.asks.map((_, index) => begin + index), series } };
}

/** Fills seconds that were left out with nulls, and drops what is older than 15 minutes. */
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

/** Of the newest `seconds`; 0 where there are none. */
export function sum(course: Series, seconds = SECONDS_MAX): number {
  return course.slice(-seconds).reduce<number>((all, value) => all + (value ?? 0), 0);
}

/** The mean of the newest `seconds` that are known; undefined where there are none. */
export function mean(course: Series, seconds: number): number | undefined {
  const known = knownOf(course.slice(-seconds));
  return known.length > 0 ? meanOf(known) : undefined;
}

/** The median of the newest `seconds` that are known; undefined where there are none. */
export function median(course: Series, seconds: number): number | undefined {
  const known = knownOf(course.slice(-seconds)).sort((a, b) => a - b);
  return known[Math.floor(known.length / 2)];
}

function knownOf(course: Series): number[] {
  return course.filter((value) => value !== null);
}

/**
 * The history in steps of so many seconds, each as `fold` makes it of the known figures in it; null where there are
 * none. Steps begin at multiples of their length, so that a point stays what it was when the next second comes.
 */
export function foldSteps(xs: readonly number[], course: Series, stepS: number, fold: Fold): Series {
  const steps = Map.groupBy(course.keys(), (index) => Math.floor((xs[index] ?? 0) / stepS));
  return [...steps.values()].map((indexes) => {
    const known = knownOf(indexes.map((index) => course[index] ?? null));
    return known.length > 0 ? fold(known) : null;
  });
}

/** Where the steps begin. */
export function stepStarts(xs: readonly number[], stepS: number): number[] {
  return [...new Set(xs.map((x) => Math.floor(x / stepS) * stepS))];
}

export type Fold = (known: readonly number[]) => number;
export const meanOf: Fold = (known) => known.reduce((all, value) => all + value, 0) / known.length;
export const maxOf: Fold = (known) => Math.max(...known);
