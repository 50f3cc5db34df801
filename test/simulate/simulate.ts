/*
 * `bun run simulate` plays a pool of agents and users against the core, with a virtual clock. See
 * docs/routing.md.
 */
import { parseArgs } from "node:util";
import { z } from "zod";
import { fieldPath } from "../../src/json/field-path.ts";
import { plainMessage } from "../../src/json/schema-message.ts";
import { poolNames, readPool } from "./pool.ts";
import { reportOf, textOf } from "./report.ts";
import { simulate } from "./simulation.ts";

const USAGE = `usage: bun run simulate [--pool name|file.json] [--asks 100000] [--seed 1] [--json]

Without --pool it plays all that come with it: ${poolNames().join(", ")}.
`;

function fail(message: string): never {
  process.stderr.write(`simulate: ${message}\n\n${USAGE}`);
  process.exit(2);
}

function readOptions() {
  const { values } = parseArgs({
    options: {
      pool: { type: "string" },
      asks: { type: "string", default: "100000" },
      seed: { type: "string", default: "1" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const whole = (text: string, option: string) =>
    /^[1-9]\d{0,8}$/.test(text) ? Number(text) : fail(`--${option} needs a whole number above 0.`);
  return { ...values, asks: whole(values.asks, "asks"), seed: whole(values.seed, "seed") };
}

function parseOptions() {
  try {
    return readOptions();
  } catch (error) {
    return fail((error as Error).message);
  }
}

async function read(pool: string) {
  try {
    return await readPool(pool);
  } catch (error) {
    if (!(error instanceof z.ZodError)) return fail(`${pool} cannot be read: ${(error as Error).message}`);
    const faults = error.issues.map(({ path, message }) => `  ${fieldPath(path)}: ${plainMessage(message)}`);
    return fail(`${pool} is not a pool:\n${faults.join("\n")}`);
  }
}

const { pool: wanted, asks, seed, json, help } = parseOptions();
if (help) {
  process.stdout.write(USAGE);
  process.exit(0);
}
for (const name of wanted === undefined ? poolNames() : [wanted]) {
  const pool = await read(name);
  const beganAt = performance.now();
  const report = reportOf(await simulate(pool, { asks, seed }));
  const tookMs = Math.round(performance.now() - beganAt);
  if (json) process.stdout.write(`${JSON.stringify({ pool: name, tookMs, ...report })}\n`);
  else process.stdout.write(`${name}: ${textOf(report)}\nplayed in ${tookMs / 1_000} s\n\n`);
}
