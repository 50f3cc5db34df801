/*
 * `bun run bench` measures the cost of the server, mostly as a ratio to a relay that only relays. See
 * docs/performance.md.
 */
import { cpus, loadavg } from "node:os";
import { parseArgs } from "node:util";
import { type Row, tableOf } from "./rows.ts";
import { type Context, type Scenario, Skipped } from "./scenario.ts";
import { ASKS } from "./scenarios/asks.ts";
import { DASHBOARD } from "./scenarios/dashboard.ts";
import { HISTORY } from "./scenarios/history.ts";
import { IDLE_AGENTS } from "./scenarios/idle-agents.ts";
import { OVERLOAD } from "./scenarios/overload.ts";
import { SIZE } from "./scenarios/size.ts";
import { START } from "./scenarios/start.ts";
import { CHAT, CHAT_STREAM, DELTAS, DELTAS_PACED, DELTAS_USAGE, FIRST_DELTA } from "./scenarios/streams.ts";
import { TOKENS } from "./scenarios/tokens.ts";
import { openWorkshop } from "./workshop.ts";

const SCENARIOS: readonly Scenario[] = [
  ASKS,
  CHAT,
  CHAT_STREAM,
  DELTAS,
  DELTAS_USAGE,
  DELTAS_PACED,
  FIRST_DELTA,
  TOKENS,
  DASHBOARD,
  OVERLOAD,
  IDLE_AGENTS,
  HISTORY,
  START,
  SIZE,
];

const USAGE = `usage: bun run bench [--only name,name] [--rounds 7] [--seconds 1] [--idle-agents 10000] [--json]

${SCENARIOS.map(({ name, about }) => `  ${name.padEnd(14)}${about}`).join("\n")}
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
      rounds: { type: "string", default: "7" },
      seconds: { type: "string", default: "1" },
      "idle-agents": { type: "string", default: "10000" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const names = values.only?.split(",");
  const unknown = names?.find((name) => !SCENARIOS.some((scenario) => scenario.name === name));
  if (unknown !== undefined) fail(`The scenario ${unknown} does not exist.`);
  return {
    scenarios: SCENARIOS.filter(({ name }) => names?.includes(name) ?? true),
    rounds: Math.ceil(positive(values.rounds, "rounds")),
    seconds: positive(values.seconds, "seconds"),
    idleAgents: Math.ceil(positive(values["idle-agents"], "idle-agents")),
    json: values.json,
    help: values.help,
  };
}

function parseOptions() {
  try {
    return readOptions();
  } catch (error) {
    return fail((error as Error).message);
  }
}

function machine() {
  const [processor] = cpus();
  return {
    at: new Date().toISOString(),
    processor: processor?.model ?? "unknown",
    cores: cpus().length,
    load: loadavg().map((value) => value.toFixed(2)),
  };
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

const { scenarios, json, help, ...options } = parseOptions();
if (help) {
  process.stdout.write(USAGE);
  process.exit(0);
}
const before = machine();
const workshop = await openWorkshop();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    workshop.stop();
    process.exit(1);
  });
}
const rows: Row[] = [];
try {
  for (const scenario of scenarios) rows.push(...(await runOne(scenario, { ...options, workshop })));
} finally {
  workshop.stop();
}
const { load: loadAfter, ...rest } = machine();
const { load: loadBefore } = before;
const { rounds, seconds } = options;
if (json) {
  const report = { ...rest, bun: Bun.version, rounds, seconds, loadBefore, loadAfter, rows };
  process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
} else {
  process.stdout.write(`${tableOf(rows)}\n`);
  say(
    `${rest.processor}, ${rest.cores} cores, Bun ${Bun.version}, ${rounds} pairs of rounds of ${seconds} s; load ${loadBefore.join(" ")} before, ${loadAfter.join(" ")} after`,
  );
}
