import type { Row } from "./rows.ts";
import type { Workshop } from "./workshop.ts";

export interface Context {
  workshop: Workshop;
  /** The number of pairs of rounds, and the length of each round. */
  rounds: number;
  seconds: number;
  /** The number of agents in the scenario `idle-agents`. */
  idleAgents: number;
}

/** The reason why a scenario cannot be measured here. */
export class Skipped extends Error {}

export interface Scenario {
  name: string;
  about: string;
  /** Throws `Skipped`, or an error for a wrong answer. The targets that it starts are stopped afterwards. */
  run(context: Context): Promise<Row[]>;
}
