import { chooseSeed } from "../support/random.ts";
import { Pool, type PoolInput } from "./pool.ts";
import { type Report, reportOf } from "./report.ts";
import { simulate } from "./simulation.ts";

/**
 * The number of asks of each simulation. The variable SIMULATE_ASKS sets it for all, and SIMULATE_SEEDS is the number
 * of seeds that each is played with: `SIMULATE_ASKS=1000000 SIMULATE_SEEDS=10 bun test test/simulate`.
 */
const ASKS = Number(process.env["SIMULATE_ASKS"] ?? 20_000);
const SEEDS = Number(process.env["SIMULATE_SEEDS"] ?? 1);

/** The seeds, from SEED on, or else from a fixed one: short runs meet their goals only with most seeds. */
export const seeds: readonly number[] = Array.from(
  { length: SEEDS },
  (_, n) => n + (process.env["SEED"] === undefined ? 1 : chooseSeed()),
);

/** The time that such a test may take. */
export const TIMEOUT_MS = 10_000 + ASKS;

/** Plays the pool, and returns the report. */
export async function play(pool: Omit<PoolInput, "about">, seed: number, asks = ASKS): Promise<Report> {
  const simulation = await simulate(Pool.parse({ about: "", ...pool }), { asks, seed });
  return reportOf(simulation);
}
