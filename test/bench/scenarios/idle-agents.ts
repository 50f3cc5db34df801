import { loadavg } from "node:os";
import { cpuMicros, openFilesMax, residentBytes } from "../process-stats.ts";
import type { Row } from "../rows.ts";
import { type Context, type Scenario, Skipped } from "../scenario.ts";
import { quantile, spreadOf } from "../statistics.ts";
import { connectAgents } from "../targets.ts";
import type { Target } from "../workshop.ts";

/** The default of `--ping-every`. */
const PING_EVERY_S = 30;
const SETTLE_MS = 2_000;
const ADDRESSES = 4;
/** The number of files that a process has open besides the sockets of the agents. */
const FILES_SPARE = 200;

interface Filled {
  acceptPerSecond: number;
  acceptMicros: number;
  kilobytesEach: number;
  /** After a round of pings, if one was awaited. */
  settledKilobytesEach: number;
  idlePercent: number;
}

/** Connects agents to a target that has none, and stops it afterwards. */
async function fill(
  context: Context,
  target: Target,
  { awaitsPings }: { awaitsPings: boolean },
): Promise<Filled> {
  const { workshop, idleAgents: count } = context;
  await Bun.sleep(SETTLE_MS);
  const before = { bytes: residentBytes(target.pid), cpu: cpuMicros(target.pid), at: performance.now() };
  await connectAgents(workshop, target, { protocol: "v1", count, addresses: ADDRESSES });
  const seconds = (performance.now() - before.at) / 1000;
  const cpu = cpuMicros(target.pid) - before.cpu;
  await Bun.sleep(SETTLE_MS);
  const kilobytesEach = () => (residentBytes(target.pid) - before.bytes) / count / 1000;
  const filled = {
    acceptPerSecond: count / seconds,
    acceptMicros: cpu / count,
    kilobytesEach: kilobytesEach(),
  };
  const idlePercent = awaitsPings ? (await idleCores(target)) * 100 : Number.NaN;
  const settledKilobytesEach = kilobytesEach();
  await target.stop();
  await workshop.agents.carryOut({ do: "close" });
  return { ...filled, settledKilobytesEach, idlePercent };
}

/** Resolves with the share of a core that the target uses without requests. */
async function idleCores(target: Target): Promise<number> {
  const before = { cpu: cpuMicros(target.pid), at: performance.now() };
  await Bun.sleep(PING_EVERY_S * 1.1 * 1000);
  return (cpuMicros(target.pid) - before.cpu) / 1000 / (performance.now() - before.at);
}

interface Starts {
  bare: Filled[];
  ours: Filled[];
  again: Filled[];
}

function tableOf(scenario: string, { bare, ours, again }: Starts): Row[] {
  const row = (field: keyof Filled, metric: string, unit: string, more: Partial<Row> = {}): Row => {
    const of = (starts: readonly Filled[]) => starts.map((filled) => filled[field]);
    const ratioTo = (base: readonly Filled[], value: readonly Filled[]) =>
      spreadOf(of(value).map((one, index) => one / (of(base)[index] ?? Number.NaN)));
    return {
      ...{ scenario, metric, unit, machineLoad: loadavg()[0] ?? Number.NaN },
      ...{ base: quantile(of(bare), 0.5), value: quantile(of(ours), 0.5) },
      ...{ ratio: ratioTo(bare, ours), same: ratioTo(ours, again) },
      ...more,
    };
  };
  const atMost = (value: number) => ({ goal: { of: "value", atMost: value } }) as const;
  const oursOnly = { base: undefined, ratio: undefined };
  return [
    row("kilobytesEach", "memory after connecting", "KB each", atMost(6)),
    row("settledKilobytesEach", "memory after a round of pings", "KB each"),
    row("acceptPerSecond", "connecting", "agents/s", {
      note: "limited by the one process that runs the agents",
    }),
    row("acceptMicros", "CPU of connecting", "µs each"),
    row("idlePercent", "pings", "% of a core", {
      ...oursOnly,
      ...atMost(5),
      note: `over ${PING_EVERY_S * 1.1} s, default settings; the bare relay sends none`,
    }),
  ];
}

export const IDLE_AGENTS: Scenario = {
  name: "idle-agents",
  about: "10,000 idle v1 agents: their memory, their pings and their connecting",
  sets: [],
  async run(context) {
    const { workshop, restarts, idleAgents: count } = context;
    if (openFilesMax() < count + FILES_SPARE)
      throw new Skipped(`${count} agents need as many open files, but ulimit -n is ${openFilesMax()}.`);
    const starts: Starts = { bare: [], ours: [], again: [] };
    for (let restart = 0; restart < restarts; restart++) {
      const awaitsPings = { awaitsPings: true };
      starts.bare.push(await fill(context, await workshop.startBare(), { awaitsPings: false }));
      starts.ours.push(await fill(context, await workshop.startOurs(), awaitsPings));
      starts.again.push(await fill(context, await workshop.startOurs(), awaitsPings));
    }
    return tableOf(`${count.toLocaleString("en")} idle agents`, starts);
  },
};
