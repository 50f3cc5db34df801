import { existsSync, readdirSync, readFileSync } from "node:fs";
import { Counter, Gauge, type Registry } from "./prometheus.ts";

const FDS = "/proc/self/fd";
const LIMITS = "/proc/self/limits";

/**
 * The process, under the names that all programs use for it:
 * https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics. Without `/proc` there are no
 * figures of its files.
 */
export function createProcessMetrics(registry: Registry): void {
  const registers = [registry];
  new Counter({
    name: "process_cpu_seconds_total",
    help: "User and system CPU time in seconds.",
    registers,
    collect() {
      const { user, system } = process.cpuUsage();
      this.reset();
      this.inc((user + system) / 1e6);
    },
  });
  new Gauge({
    name: "process_resident_memory_bytes",
    help: "Resident memory size in bytes.",
    registers,
    collect() {
      this.set(process.memoryUsage.rss());
    },
  });
  new Gauge({
    name: "process_start_time_seconds",
    help: "Start time of the process in seconds since 1970.",
    registers,
  }).set(Math.round((Date.now() / 1000 - process.uptime()) * 100) / 100);
  if (!existsSync(FDS)) return;
  new Gauge({
    name: "process_open_fds",
    help: "Open file descriptors.",
    registers,
    collect() {
      this.set(readdirSync(FDS).length);
    },
  });
  new Gauge({
    name: "process_max_fds",
    help: "Most file descriptors that may be open.",
    registers,
  }).set(openFilesMax());
}

function openFilesMax(): number {
  const [, soft] = /^Max open files\s+(\d+|unlimited)/m.exec(readFileSync(LIMITS, "utf8")) ?? [];
  return soft === "unlimited" ? Number.POSITIVE_INFINITY : Number(soft ?? 0);
}
