import { loadavg } from "node:os";
import { download, type Transfer, upload } from "../bytes/transfers.ts";
import { forgetPeak, peakBytes, residentBytes } from "../process-stats.ts";
import type { Row } from "../rows.ts";
import type { Context, Scenario } from "../scenario.ts";
import { quantile, spreadOf } from "../statistics.ts";
import type { Target, Workshop } from "../workshop.ts";
import { startWithAgent } from "./bridge.ts";

const FILE_BYTES = 200_000_000;
const MB = 1e6;
const TRANSFERS: Readonly<Record<string, Transfer>> = { up: upload, down: download };
const SIDES = ["base", "value", "again"] as const;

type SideName = (typeof SIDES)[number];

interface Carried {
  mbPerSecond: number;
  /** The peak of each process above what it had before, by the name of the process. */
  addedMb: Record<string, number>;
}

function startScript(workshop: Workshop, name: string, ...args: string[]): Promise<Target> {
  const script = new URL(`../bytes/${name}.ts`, import.meta.url).pathname;
  return workshop.start({ command: [process.execPath, script, ...args], endsWithBench: true });
}

async function startBare(workshop: Workshop, upstream: Target): Promise<Target> {
  const relay = await startScript(workshop, "bare-relay");
  const agent = await startScript(workshop, "bare-agent", `${relay.port}`, `${upstream.port}`);
  return { ...relay, helpers: { agent: agent.pid } };
}

async function carry(target: Target, transfer: Transfer): Promise<Carried> {
  const processes = Object.entries({ server: target.pid, ...target.helpers });
  const rest = processes.map(([name, pid]) => {
    forgetPeak(pid);
    return { name, pid, bytes: residentBytes(pid) };
  });
  const began = performance.now();
  await transfer(target, FILE_BYTES);
  const seconds = (performance.now() - began) / 1_000;
  const added = rest.map(({ name, pid, bytes }) => [name, (peakBytes(pid) - bytes) / MB] as const);
  return { mbPerSecond: FILE_BYTES / MB / seconds, addedMb: Object.fromEntries(added) };
}

/** Resolves with the rounds of each direction, in which the sides take turns. */
async function measureTransfers({ workshop, restarts, rounds, progress }: Context) {
  const measured = new Map<string, Record<SideName, Carried>[]>();
  for (let restart = 0; restart < restarts; restart++) {
    progress(`start ${restart + 1} of ${restarts}`);
    const upstream = await startScript(workshop, "upstream");
    const targets = {
      base: await startBare(workshop, upstream),
      value: await startWithAgent(workshop, upstream),
      again: await startWithAgent(workshop, upstream),
    };
    for (const [direction, transfer] of Object.entries(TRANSFERS)) {
      // The first one also warms up.
      for (const side of SIDES) await transfer(targets[side], FILE_BYTES);
      for (let round = restart; round < rounds; round += restarts) {
        const carried = {} as Record<SideName, Carried>;
        for (const side of SIDES) carried[side] = await carry(targets[side], transfer);
        measured.getOrInsertComputed(direction, () => []).push(carried);
      }
    }
    await workshop.stopTargets();
  }
  return measured;
}

function rowsOf(direction: string, rounds: readonly Record<SideName, Carried>[]): Row[] {
  const [machineLoad = Number.NaN] = loadavg();
  const scenario = `200 MB ${direction}, separate agent`;
  const rate = (side: SideName) => rounds.map((round) => round[side].mbPerSecond);
  const ratio = (base: SideName, value: SideName) =>
    spreadOf(rounds.map((round) => round[value].mbPerSecond / round[base].mbPerSecond));
  const added = ["server", "agent"].map((name): Row => {
    const spread = spreadOf(rounds.map(({ value }) => value.addedMb[name] ?? Number.NaN));
    const base = quantile(
      rounds.map((round) => round.base.addedMb[name] ?? Number.NaN),
      0.5,
    );
    const goal = { of: "value", atMost: 40 } as const;
    return {
      ...{ scenario, metric: `memory of the ${name} above that before`, unit: "MB" },
      ...{ base, value: spread.median, spread, machineLoad, goal },
    };
  });
  return [
    {
      ...{ scenario, metric: "rate", unit: "MB/s", machineLoad, goal: { of: "ratio", atLeast: 0.5 } },
      ...{ base: quantile(rate("base"), 0.5), value: quantile(rate("value"), 0.5) },
      ...{ ratio: ratio("base", "value"), same: ratio("value", "again") },
    },
    ...added,
  ];
}

export const BYTES: Scenario = {
  name: "bytes",
  about: "a file of 200 MB through a separate agent, up and down, compared with a bare relay",
  sets: [],
  async run(context) {
    const measured = await measureTransfers(context);
    return [...measured].flatMap(([direction, rounds]) => rowsOf(direction, rounds));
  },
};
