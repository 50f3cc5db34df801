/*
 * `bun run bench` measures the cost of the server, mostly as a ratio to a relay that only relays. See
 * docs/performance.md.
 */
import { loadavg } from "node:os";
import { join } from "node:path";
import { attempt, FAILED } from "./attempt.ts";
import { drawKept } from "./drawing/kept.ts";
import { type Options, readOptions, usageOf } from "./options.ts";
import { KEPT, machine, type Report, writeReport } from "./report.ts";
import { type Row, tableOf } from "./rows.ts";
import type { Context, Scenario } from "./scenario.ts";
import { SCENARIOS } from "./scenarios/scenarios.ts";
import { openWorkshop } from "./workshop.ts";

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

function parseOptions(): Options {
  try {
    return readOptions(process.argv.slice(2), SCENARIOS);
  } catch (error) {
    say(`bench: ${(error as Error).message}\n\n${usageOf(SCENARIOS)}`);
    return process.exit(2);
  }
}

const beganAt = performance.now();

/** Writes a line with the time since the start. */
function progress(line: string): void {
  const seconds = Math.round((performance.now() - beganAt) / 1000);
  say(`${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}  ${line}`);
}

async function runAll(scenarios: readonly Scenario[], numbers: Omit<Context, "workshop" | "peers">) {
  const peers = new Map<string, string>();
  const workshop = await openWorkshop();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      workshop.stop();
      process.exit(1);
    });
  }
  const rows: Row[] = [];
  try {
    for (const [index, scenario] of scenarios.entries()) {
      progress(`${index + 1} of ${scenarios.length}, ${scenario.name}: ${scenario.about}`);
      const context = { ...numbers, workshop, peers };
      rows.push(...(await attempt(context, scenario.name, () => scenario.run(context))));
    }
  } finally {
    workshop.stop();
  }
  progress("done");
  return { rows, peers };
}

const { scenarios, json, keep, draw, help, set, ...numbers } = parseOptions();
if (help) {
  process.stdout.write(usageOf(SCENARIOS));
  process.exit(0);
}
if (draw) {
  for (const path of await drawKept()) say(`wrote ${path}`);
  process.exit(0);
}
const loadBefore = loadavg();
const { rows, peers } = await runAll(scenarios, { ...numbers, progress });
const report: Report = {
  ...machine(),
  ...{ set, ...numbers, loadBefore, loadAfter: loadavg(), peers: Object.fromEntries(peers), rows },
};
process.stdout.write(`${tableOf(rows)}\n`);
const paths = [json, keep ? join(KEPT, `${report.at.slice(0, 10)}.json`) : undefined];
for (const path of paths) if (path !== undefined) await writeReport(path, report);
if (keep) for (const path of await drawKept()) say(`wrote ${path}`);
const { restarts, rounds, seconds } = numbers;
const loadText = (load: readonly number[]) => load.map((value) => value.toFixed(2)).join(" ");
const peerText = [...peers].map(([name, version]) => `${name} ${version}`).join(", ");
say(
  `${report.processor}, ${report.cores} cores, Bun ${report.bun}${peerText && `, ${peerText}`}; ${rounds} rounds of ${seconds} s over ${restarts} starts; load ${loadText(loadBefore)} before, ${loadText(report.loadAfter)} after`,
);
if (rows.some(({ metric }) => metric === FAILED)) process.exitCode = 1;
