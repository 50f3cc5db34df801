import { cpus } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { version } from "../../package.json";
import { SETS } from "./scenario.ts";

/** The folder of the results that are kept. */
export const KEPT = join(import.meta.dir, "../../docs/bench");

// JSON has no NaN, which a value that was not measured is.
const number = z
  .number()
  .nullable()
  .transform((value) => value ?? Number.NaN);

const Spread = z.object({ median: number, p10: number, p90: number });

/** The results of a run, as they are kept. */
export const Report = z.object({
  at: z.iso.datetime(),
  version: z.string(),
  bun: z.string(),
  processor: z.string(),
  cores: z.number(),
  set: z.enum(SETS),
  restarts: z.number(),
  rounds: z.number(),
  seconds: z.number(),
  warmUpSeconds: z.number(),
  warmUpRequests: z.number(),
  idleAgents: z.number(),
  loadBefore: z.array(z.number()),
  loadAfter: z.array(z.number()),
  /** The versions of the other programs. */
  peers: z.record(z.string(), z.string()),
  rows: z.array(
    z.object({
      scenario: z.string(),
      metric: z.string(),
      unit: z.string(),
      base: number.optional(),
      value: number,
      spread: Spread.optional(),
      ratio: Spread.optional(),
      same: Spread.optional(),
      machineLoad: number.optional(),
      goal: z
        .object({ of: z.enum(["value", "ratio"]), atLeast: number.optional(), atMost: number.optional() })
        .optional(),
      note: z.string().optional(),
    }),
  ),
});
export type Report = z.output<typeof Report>;

export function machine() {
  const [processor] = cpus();
  return {
    at: new Date().toISOString(),
    version,
    bun: Bun.version,
    processor: processor?.model ?? "unknown",
    cores: cpus().length,
  };
}

const DIGITS = 4;

/** Writes the results with four digits, which is more than they are exact to. */
export async function writeReport(path: string, report: Report): Promise<void> {
  const rounded = (_: string, value: unknown) =>
    typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(DIGITS)) : value;
  await Bun.write(path, `${JSON.stringify(report, rounded, 1)}\n`);
}
