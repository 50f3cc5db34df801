import { loadavg } from "node:os";
import { forgetPeak, peakBytes, residentBytes } from "../process-stats.ts";
import type { Row } from "../rows.ts";
import type { Target } from "../workshop.ts";

/** How long after its peak a process has time to give memory back. */
const SETTLE_MS = 10_000;

const MB = 1e6;

/** The resident memory of one process around a load. */
interface MemoryUse {
  restMb: number;
  peakMb: number;
  settledMb: number;
}

/** Runs a load. Resolves with a row for each moment and each process: the target and its helpers. */
export async function memoryRows(
  scenario: string,
  target: Target,
  run: () => Promise<string | undefined>,
): Promise<Row[]> {
  const processes = { server: target.pid, ...target.helpers };
  const rest = Object.entries(processes).map(([name, pid]) => {
    forgetPeak(pid);
    return { name, pid, restMb: residentBytes(pid) / MB };
  });
  const note = await run();
  const peaks = rest.map((one) => ({ ...one, peakMb: peakBytes(one.pid) / MB }));
  await Bun.sleep(SETTLE_MS);
  const machineLoad = loadavg()[0] ?? Number.NaN;
  return peaks.flatMap(({ name, pid, restMb, peakMb }, index) =>
    rowsOf({ restMb, peakMb, settledMb: residentBytes(pid) / MB }, name, index === 0 ? note : undefined).map(
      (row) => ({ ...row, scenario: `memory, ${scenario}`, machineLoad }),
    ),
  );
}

function rowsOf({ restMb, peakMb, settledMb }: MemoryUse, name: string, note: string | undefined) {
  return [
    { metric: `${name} at rest`, unit: "MB", value: restMb },
    { metric: `${name} at its peak`, unit: "MB", value: peakMb, ...(note !== undefined && { note }) },
    { metric: `${name} ${SETTLE_MS / 1000} s later`, unit: "MB", value: settledMb },
  ];
}
