import type { Random } from "../support/random.ts";

/** Returns a random time or amount with this mean: most are smaller, and a few much larger. */
export function exponential(random: Random, mean: number): number {
  return -Math.log(1 - random.next()) * mean;
}

/** Returns a whole number from 1 on with this mean. */
export function countAround(random: Random, mean: number): number {
  return 1 + Math.floor(random.next() * (2 * mean - 1));
}
