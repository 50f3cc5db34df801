import type { Row } from "./rows.ts";
import type { Workshop } from "./workshop.ts";

export interface Context {
  workshop: Workshop;
  /** Pairs of rounds, and the length of each round. */
  rounds: number;
  seconds: number;
  /** For the scenario of the idle agents. */
  idleAgents: number;
}

/** What cannot be measured here, and why. */
export class Skipped extends Error {}

export interface Scenario {
  name: string;
  about: string;
  /** Throws `Skipped`, or an error when an answer was wrong. Whatever it starts is stopped for it. */
  run(context: Context): Promise<Row[]>;
}
