import type { Row } from "./rows.ts";
import type { Workshop } from "./workshop.ts";

export interface Context {
  workshop: Workshop;
  /** How often every target is started anew, and the rounds that are spread over these starts. */
  restarts: number;
  rounds: number;
  /** The length of each round. */
  seconds: number;
  /** Before them, each side is loaded until it has answered this many requests, but for at most this time. */
  warmUpRequests: number;
  warmUpSeconds: number;
  /** The most agents that are idle, and the most requests that wait. */
  idleAgents: number;
  /** The name and version of each other program that was measured. */
  peers: Map<string, string>;
  /** Writes a line about how far the run is. */
  progress(line: string): void;
}

/** The reason why a scenario cannot be measured here. */
export class Skipped extends Error {}

/** The sets of scenarios: what runs within a few minutes, what has a goal for its speed, and everything. */
export const SETS = ["quick", "goals", "full"] as const;
export type SetName = (typeof SETS)[number];

export interface Scenario {
  name: string;
  about: string;
  /** The sets that it belongs to, besides `full`. */
  sets: readonly Exclude<SetName, "full">[];
  /** Throws `Skipped`, or an error for a wrong answer, which ends this scenario only. */
  run(context: Context): Promise<Row[]>;
}
