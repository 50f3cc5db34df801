import { DAY_MS, HOUR_MS, MINUTE_MS } from "../durations.ts";

/** A problem in words, for the dashboard, the API and the webhook alike. */
export interface Sentences {
  /** States what is wrong, in one sentence or two. */
  message: string;
  /** The advice. */
  hint: string;
}

/** Returns a count with its noun: 1 agent, 2 agents. */
export const countOf = (count: number, one: string): string => `${count} ${one}${count === 1 ? "" : "s"}`;

export const nameOf = ({ name }: { name: string }): string => name;

const LISTED_MAX = 3;

/** Returns some names as a list in a sentence: a, b and c. */
export function list(names: readonly string[]): string {
  const shown = names.slice(0, LISTED_MAX);
  // Only another node can leave them all out.
  const last = shown.pop() ?? "(unknown)";
  return shown.length > 0 ? `${shown.join(", ")} and ${last}` : last;
}

const UNITS: readonly [unit: string, ms: number][] = [
  ["d", DAY_MS],
  ["h", HOUR_MS],
  ["min", MINUTE_MS],
  ["s", 1_000],
];

/** Returns a duration in its largest unit, rounded down: 42 s, 3 min, 2 h, 5 d. */
export function spanOf(ms: number): string {
  const [unit, size] = UNITS.find(([, size]) => ms >= size) ?? ["s", 1_000];
  return `${Math.floor(ms / size)} ${unit}`;
}
