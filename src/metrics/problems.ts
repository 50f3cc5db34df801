import type { ProblemCode } from "../protocol/node/problems.ts";
import type { Registry } from "./registry.ts";

/** Registers how many problems of each code this server has now. */
export function createProblemMetrics(
  { collect }: Registry,
  count: () => Readonly<Record<ProblemCode, number>>,
): void {
  const family = {
    name: "chatgpt_api_problems",
    help: "Problems that this server has now, by their codes.",
    labels: ["code"],
  };
  collect("gauge", family, () => Object.entries(count()).map(([code, value]) => [value, code] as const));
}
