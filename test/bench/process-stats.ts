import { readFileSync, writeFileSync } from "node:fs";

/** USER_HZ, the unit of times in /proc, is 100 on every architecture that Bun runs on. */
const TICK_US = 10_000;

/** Returns the CPU time of a process with all its threads, in microseconds, in steps of 10 ms. */
export function cpuMicros(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  // The name of the program, in parentheses, may have spaces in it.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK_US;
}

/** Returns the CPU time of all processes of the machine, in microseconds. */
export function machineCpuMicros(): number {
  const [line = ""] = readFileSync("/proc/stat", "latin1").split("\n");
  const [user, nice, system, , , irq, softirq, steal] = line.split(/\s+/).slice(1).map(Number);
  const ticks = [user, nice, system, irq, softirq, steal].reduce<number>((sum, part) => sum + (part ?? 0), 0);
  return ticks * TICK_US;
}

/** Returns the resident memory of a process, in bytes. */
export function residentBytes(pid: number): number {
  const kilobytes = readFileSync(`/proc/${pid}/smaps_rollup`, "latin1").match(/^Rss:\s+(\d+) kB/m)?.[1];
  if (kilobytes === undefined) throw new Error(`The memory of process ${pid} cannot be read.`);
  return Number(kilobytes) * 1024;
}

/** Lets `peakBytes` begin anew. */
export function forgetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, "5");
}

/** Returns the most memory that was resident since `forgetPeak`, in bytes. */
export function peakBytes(pid: number): number {
  const kilobytes = readFileSync(`/proc/${pid}/status`, "latin1").match(/^VmHWM:\s+(\d+) kB/m)?.[1];
  if (kilobytes === undefined) throw new Error(`The peak of process ${pid} cannot be read.`);
  return Number(kilobytes) * 1024;
}

/** Returns the maximum number of files and sockets that a process may open. */
export function openFilesMax(): number {
  const limit = readFileSync("/proc/self/limits", "latin1").match(/^Max open files\s+(\S+)/m)?.[1];
  return limit === "unlimited" ? Number.POSITIVE_INFINITY : Number(limit);
}
