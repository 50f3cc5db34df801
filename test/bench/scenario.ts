import type { Row } from "./rows.ts";
import type { Workshop } from "./workshop.ts";

export interface Context {
  workshop: Workshop;
  /** How often every target is started anew, and the rounds that are spread over these starts. */
  restarts: number;
  rounds: number;
  /** The length of each round. */
  seconds: number;
  /** The length of the rounds before them, which are repeated until this many requests were answered. */
  warmUpSeconds: number;
  warmUpRequests: number;
  /** The most agents that are idle, and the most requests that wait. */
  idleAgents: number;
  /** The name and version of each other program that was measured. */
  peers: Map<string, string>;
}

/** The reason why a scenario cannot be measured here. */
export class Skipped extends Error {}

export interface Scenario {
  name: string;
  about: string;
  /** Whether it also runs without `--full` and `--only`. */
  isQuick?: boolean;
  /** Throws `Skipped`, or an error for a wrong answer. The targets that it starts are stopped afterwards. */
  run(context: Context): Promise<Row[]>;
}
