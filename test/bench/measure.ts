import type { Exchange } from "./exchanges.ts";
import { openHttpConnection } from "./http-connection.ts";
import { cpuMicros, machineCpuMicros, residentBytes } from "./process-stats.ts";
import { quantile } from "./statistics.ts";
import { createTally, type Tally } from "./tally.ts";
import type { Target } from "./workshop.ts";

/** The beginning of each round, which is not counted. It is at most as long as the rest. */
const BEGINNING_MS_MAX = 200;

export interface Load {
  /** Each caller has a connection of its own, and sends its next request after the answer to the last one. */
  callers: number;
  exchange: Exchange;
  /**
   * The number of requests after which the code is compiled; 0 if the loads before this one have compiled it.
   * Default: that of the run.
   */
  warmUpRequests?: number;
  /** Spreads the start of the callers over this time, as they would otherwise stay in step. */
  staggerMs?: number;
  /** Returns the token of a caller by its number. Default: the target's admin key. */
  tokenOf?: (caller: number, exchange: number) => string;
}

/** One round of load on one target. A latency without a sample is NaN. */
export interface Round {
  tally: Tally;
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
  firstP50Ms: number;
  /** The CPU time of the target and its helpers for each unit. */
  cpuMicros: number;
  /** The CPU time of each helper for each unit, by its name. */
  helperMicros: Record<string, number>;
  /** The memory of the target at the end. */
  residentMb: number;
  /** The number of cores that each process used, and those that other programs used. */
  cores: { target: number; bench: number; agents: number; others: number };
}

let rounds = 0;

export async function measure(
  { target, agentsPid }: { target: Target; agentsPid: number },
  load: Load,
  seconds: number,
): Promise<Round> {
  // Ids are never used twice, so that a late answer of an earlier round does not pass in this one.
  const epoch = ++rounds * 1_000_000;
  const { staggerMs = 0 } = load;
  const window = { tally: createTally(), ended: false };
  const connections = await Promise.all(
    Array.from({ length: load.callers }, () => openHttpConnection(target.port)),
  );
  const call = async (caller: number) => {
    const connection = connections[caller];
    if (!connection) throw new Error("There is no such caller.");
    if (staggerMs > 0) await Bun.sleep((staggerMs * caller) / load.callers);
    for (let exchange = epoch; !window.ended; exchange++) {
      const token = load.tokenOf?.(caller, exchange) ?? target.adminKey;
      await load.exchange({ connection, token, caller, exchange }, () => window.tally);
    }
  };
  const calls = Promise.all(connections.map((_, caller) => call(caller)));
  const work = Promise.race([
    watchWindow({ target, agentsPid }, window, {
      beginningMs: Math.min(BEGINNING_MS_MAX, seconds * 1000) + staggerMs,
      seconds,
    }),
    calls,
  ]);
  try {
    const round = await work;
    if (!("perSecond" in round)) throw new Error("The callers stopped early.");
    await calls;
    return round;
  } finally {
    window.ended = true;
    for (const connection of connections) connection.close();
    target.emptyLog();
  }
}

async function watchWindow(
  pids: { target: Target; agentsPid: number },
  window: { tally: Tally; ended: boolean },
  { beginningMs, seconds }: { beginningMs: number; seconds: number },
): Promise<Round> {
  await Bun.sleep(beginningMs);
  const { tally } = Object.assign(window, { tally: createTally() });
  const before = snapshot(pids);
  await Bun.sleep(seconds * 1000);
  const after = snapshot(pids);
  Object.assign(window, { tally: createTally(), ended: true });

  const elapsedUs = (after.atMs - before.atMs) * 1000;
  const helpers = Object.entries(after.helpers).map(
    ([name, cpu]) => [name, cpu - (before.helpers[name] ?? 0)] as const,
  );
  const used = {
    target: after.target - before.target + helpers.reduce((sum, [, cpu]) => sum + cpu, 0),
    bench: after.bench - before.bench,
    agents: after.agents - before.agents,
  };
  const others = after.machine - before.machine - used.target - used.bench - used.agents;
  return {
    tally,
    perSecond: (tally.units * 1e6) / elapsedUs,
    p50Ms: quantile(tally.latenciesMs, 0.5),
    p99Ms: quantile(tally.latenciesMs, 0.99),
    firstP50Ms: quantile(tally.firstsMs, 0.5),
    cpuMicros: used.target / tally.units,
    helperMicros: Object.fromEntries(helpers.map(([name, cpu]) => [name, cpu / tally.units])),
    residentMb: residentBytes(pids.target.pid) / 1e6,
    cores: {
      target: used.target / elapsedUs,
      bench: used.bench / elapsedUs,
      agents: used.agents / elapsedUs,
      others: Math.max(0, others / elapsedUs),
    },
  };
}

function snapshot({ target, agentsPid }: { target: Target; agentsPid: number }) {
  return {
    atMs: performance.now(),
    target: cpuMicros(target.pid),
    helpers: Object.fromEntries(
      Object.entries(target.helpers).map(([name, pid]) => [name, cpuMicros(pid)]),
    ) as Record<string, number>,
    bench: cpuMicros(process.pid),
    agents: cpuMicros(agentsPid),
    machine: machineCpuMicros(),
  };
}
