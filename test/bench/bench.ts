/*
 * `bun run bench` measures the cost of the server, mostly as a ratio to a relay that only relays. See
 * docs/performance.md.
 */
import { loadavg } from "node:os";
import { parseArgs } from "node:util";
import { drawKept } from "./drawing/draw-kept.ts";
import { machine, type Report, writeReport } from "./report.ts";
import { type Row, tableOf } from "./rows.ts";
import { type Context, type Scenario, Skipped } from "./scenario.ts";
import { ASKS, ASKS_MORE, ASKS_POOLS } from "./scenarios/asks.ts";
import { BRIDGE } from "./scenarios/bridge.ts";
import { DASHBOARD } from "./scenarios/dashboard.ts";
import { GROWTH } from "./scenarios/growth.ts";
import { GROWTH_CORE } from "./scenarios/growth-core.ts";
import { GROWTH_EVENTS } from "./scenarios/growth-events.ts";
import { HISTORY } from "./scenarios/history.ts";
import { IDLE_AGENTS } from "./scenarios/idle-agents.ts";
import { MEMORY } from "./scenarios/memory.ts";
import { OVERLOAD } from "./scenarios/overload.ts";
import { SIZE } from "./scenarios/size.ts";
import { START } from "./scenarios/start.ts";
import { CHAT, CHAT_STREAM, DELTAS, DELTAS_PACED, DELTAS_USAGE, FIRST_DELTA } from "./scenarios/streams.ts";
import { TOKENS } from "./scenarios/tokens.ts";
import { openWorkshop } from "./workshop.ts";

const SCENARIOS: readonly Scenario[] = [
  ASKS,
  ASKS_MORE,
  ASKS_POOLS,
  CHAT,
  CHAT_STREAM,
  DELTAS,
  DELTAS_USAGE,
  DELTAS_PACED,
  FIRST_DELTA,
  BRIDGE,
  GROWTH,
  GROWTH_EVENTS,
  GROWTH_CORE,
  TOKENS,
  DASHBOARD,
  OVERLOAD,
  IDLE_AGENTS,
  MEMORY,
  HISTORY,
  START,
  SIZE,
];

const WARM_UP_REQUESTS = { full: 20_000, quick: 3_000 };
const MOST = { restarts: "3", rounds: "9", seconds: "1", "warm-up": "5", "idle-agents": "10000" };
const QUICK = { restarts: "3", rounds: "3", seconds: "0.5", "warm-up": "0.7", "idle-agents": "1000" };

const USAGE = `usage: bun run bench [--full] [--only name,name] [--json <file>]
         [--restarts 3] [--rounds 3] [--seconds 0.5] [--warm-up 0.7] [--idle-agents 1000]
       bun run bench --draw

With --full, all scenarios run, as long as docs/performance.md says. Without it, those with a star run for a
few minutes. --json also writes the results to a file. --draw draws docs/bench/results.svg from the files there.

${SCENARIOS.map(({ name, about, isQuick }) => `${isQuick ? "*" : " "} ${name.padEnd(14)}${about}`).join("\n")}
`;

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

function fail(message: string): never {
  say(`bench: ${message}\n\n${USAGE}`);
  process.exit(2);
}

function readOptions() {
  const positive = (text: string, name: string) => {
    const value = Number(text);
    return value > 0 && Number.isFinite(value) ? value : fail(`--${name} needs a number above 0.`);
  };
  const { values } = parseArgs({
    options: {
      only: { type: "string" },
      full: { type: "boolean", default: false },
      json: { type: "string" },
      draw: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
      restarts: { type: "string" },
      rounds: { type: "string" },
      seconds: { type: "string" },
      "warm-up": { type: "string" },
      "idle-agents": { type: "string" },
    },
  });
  const names = values.only?.split(",");
  const unknown = names?.find((name) => !SCENARIOS.some((scenario) => scenario.name === name));
  if (unknown !== undefined) fail(`The scenario ${unknown} does not exist.`);
  const { full: isFull, json, draw, help, ...numbers } = values;
  const given = { ...(isFull ? MOST : QUICK), ...numbers };
  const number = (name: keyof typeof MOST) => positive(given[name] ?? "", name);
  return {
    scenarios: SCENARIOS.filter(({ name, isQuick }) => names?.includes(name) ?? (isFull || isQuick)),
    ...{ isFull, json, draw, help },
    restarts: Math.ceil(number("restarts")),
    rounds: Math.ceil(Math.max(number("rounds"), number("restarts"))),
    seconds: number("seconds"),
    warmUpSeconds: number("warm-up"),
    warmUpRequests: isFull ? WARM_UP_REQUESTS.full : WARM_UP_REQUESTS.quick,
    idleAgents: Math.ceil(number("idle-agents")),
  };
}

function parseOptions() {
  try {
    return readOptions();
  } catch (error) {
    return fail((error as Error).message);
  }
}

async function runOne(scenario: Scenario, context: Context): Promise<Row[]> {
  const { workshop } = context;
  say(`${scenario.name}: ${scenario.about}`);
  try {
    return await scenario.run(context);
  } catch (error) {
    if (!(error instanceof Skipped)) throw error;
    return [{ scenario: scenario.name, metric: "skipped", unit: "", value: Number.NaN, note: error.message }];
  } finally {
    await workshop.stopTargets();
    await workshop.agents.carryOut({ do: "close" });
  }
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
    for (const scenario of scenarios) rows.push(...(await runOne(scenario, { ...numbers, workshop, peers })));
  } finally {
    workshop.stop();
  }
  return { rows, peers };
}

const { scenarios, json, draw, help, isFull, ...numbers } = parseOptions();
if (help) {
  process.stdout.write(USAGE);
  process.exit(0);
}
if (draw) {
  say(`drew ${await drawKept()}`);
  process.exit(0);
}
const loadBefore = loadavg();
const { rows, peers } = await runAll(scenarios, numbers);
const report: Report = {
  ...machine(),
  ...{ isFull, ...numbers, loadBefore, loadAfter: loadavg(), peers: Object.fromEntries(peers), rows },
};
process.stdout.write(`${tableOf(rows)}\n`);
if (json !== undefined) await writeReport(json, report);
const { restarts, rounds, seconds, warmUpSeconds } = numbers;
const loadText = (load: readonly number[]) => load.map((value) => value.toFixed(2)).join(" ");
const peerText = [...peers].map(([name, version]) => `${name} ${version}`).join(", ");
say(
  `${report.processor}, ${report.cores} cores, Bun ${report.bun}${peerText && `, ${peerText}`}; ${rounds} rounds of ${seconds} s over ${restarts} starts, after ${warmUpSeconds} s; load ${loadText(loadBefore)} before, ${loadText(report.loadAfter)} after`,
);
