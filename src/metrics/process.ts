import { existsSync, readdirSync, readFileSync } from "node:fs";
import type { Registry } from "./registry.ts";

const FDS = "/proc/self/fd";
const LIMITS = "/proc/self/limits";

/**
 * Registers the metrics of the process under their standard names. Without `/proc` there are no metrics of
 * its files. https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics
 */
export function createProcessMetrics({ collect }: Registry): void {
  const gauge = (name: string, help: string, value: () => number) =>
    collect("gauge", { name: `process_${name}`, help }, value);
  const cpu = { name: "process_cpu_seconds_total", help: "User and system CPU time in seconds." };
  collect("counter", cpu, () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  });
  gauge("resident_memory_bytes", "Resident memory size in bytes.", () => process.memoryUsage.rss());
  const startedAt = Math.round((Date.now() / 1000 - process.uptime()) * 100) / 100;
  gauge("start_time_seconds", "Start time of the process in seconds since 1970.", () => startedAt);
  if (!existsSync(FDS)) return;
  gauge("open_fds", "Number of open file descriptors.", () => readdirSync(FDS).length);
  const filesMax = openFilesMax();
  gauge("max_fds", "Maximum number of open file descriptors.", () => filesMax);
}

function openFilesMax(): number {
  const [, soft] = /^Max open files\s+(\d+|unlimited)/m.exec(readFileSync(LIMITS, "utf8")) ?? [];
  return soft === "unlimited" ? Number.POSITIVE_INFINITY : Number(soft ?? 0);
}
