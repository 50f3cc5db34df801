import { askExchange } from "../exchanges.ts";
import { measurePairs, rowsOf } from "../pairs.ts";
import { cpuMicros, openFilesMax, residentBytes } from "../process-stats.ts";
import type { Row } from "../rows.ts";
import { type Context, type Scenario, Skipped } from "../scenario.ts";
import { addUser, connectAgents, V1_AGENTS } from "../targets.ts";
import type { Target } from "../workshop.ts";

/** The default of `--ping-every`. */
const PING_EVERY_S = 30;
const SETTLE_MS = 2_000;
const ADDRESSES = 4;
/** The number of files that a process has open besides the sockets of the agents. */
const FILES_SPARE = 200;

interface Crowd {
  acceptPerSecond: number;
  acceptMicros: number;
  bytesEach: number;
  /** The memory of the whole process before. */
  emptyBytes: number;
}

async function fill(context: Context, target: Target, count: number): Promise<Crowd> {
  const { workshop } = context;
  await Bun.sleep(SETTLE_MS);
  const before = { bytes: residentBytes(target.pid), cpu: cpuMicros(target.pid), at: performance.now() };
  await connectAgents(workshop, target, { protocol: "v1", count, addresses: ADDRESSES });
  const seconds = (performance.now() - before.at) / 1000;
  const cpu = cpuMicros(target.pid) - before.cpu;
  await Bun.sleep(SETTLE_MS);
  return {
    acceptPerSecond: count / seconds,
    acceptMicros: cpu / count,
    bytesEach: (residentBytes(target.pid) - before.bytes) / count,
    emptyBytes: before.bytes,
  };
}

/** Resolves with the share of a core that the target uses without requests. */
async function idleCores(target: Target): Promise<number> {
  const before = { cpu: cpuMicros(target.pid), at: performance.now() };
  await Bun.sleep(PING_EVERY_S * 1.1 * 1000);
  return (cpuMicros(target.pid) - before.cpu) / 1000 / (performance.now() - before.at);
}

export const IDLE_AGENTS: Scenario = {
  name: "idle-agents",
  about: "10,000 idle v1 agents: their memory, their pings, their connecting, and asks to them",
  async run(context) {
    const { workshop, idleAgents: count } = context;
    if (openFilesMax() < count + FILES_SPARE)
      throw new Skipped(`${count} agents need as many open files, but ulimit -n is ${openFilesMax()}.`);
    const bare = await workshop.startBare();
    const bareCrowd = await fill(context, bare, count);
    await workshop.agents.carryOut({ do: "close" });

    const ours = await workshop.startOurs();
    const crowd = await fill(context, ours, count);
    const cores = await idleCores(ours);
    const settledBytes = (residentBytes(ours.pid) - crowd.emptyBytes) / count;
    const [scenario, goalOf] = [`${count.toLocaleString("en")} idle agents`, "value"] as const;
    const rows: Row[] = [
      {
        scenario,
        metric: "memory after connecting",
        unit: "KB each",
        base: bareCrowd.bytesEach / 1000,
        value: crowd.bytesEach / 1000,
        goal: { of: goalOf, atMost: 6 },
      },
      { scenario, metric: "memory after a round of pings", unit: "KB each", value: settledBytes / 1000 },
      {
        scenario,
        metric: "connecting",
        unit: "agents/s",
        base: bareCrowd.acceptPerSecond,
        value: crowd.acceptPerSecond,
        note: "limited by the one process that runs the agents",
      },
      {
        scenario,
        metric: "CPU of connecting",
        unit: "µs each",
        base: bareCrowd.acceptMicros,
        value: crowd.acceptMicros,
      },
      {
        scenario,
        metric: "pings",
        unit: "% of a core",
        value: cores * 100,
        goal: { of: goalOf, atMost: 5 },
        note: `over ${PING_EVERY_S * 1.1} s, default settings; the bare relay sends none`,
      },
    ];
    return [...rows, ...(await askAmong(context, ours))];
  },
};

/** Compares asks with all agents connected with asks with few agents. */
async function askAmong(context: Context, crowded: Target): Promise<Row[]> {
  const few = await context.workshop.startOurs();
  await connectAgents(context.workshop, few, V1_AGENTS);
  const sides = [];
  for (const target of [few, crowded]) {
    const token = await addUser(target);
    sides.push({ target, load: { callers: 1, exchange: askExchange(), tokenOf: () => token } });
  }
  const [base, value] = sides;
  if (!base || !value) throw new Error("A side is missing.");
  const pairs = await measurePairs(context, base, value);
  return rowsOf(pairs, {
    scenario: "1 caller among them, compared with 160 agents",
    unit: "ask",
    metrics: ["p50Ms", "p99Ms", "cpuMicros"],
  });
}
