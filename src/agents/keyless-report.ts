import type { Clock } from "../clock.ts";
import type { Log } from "../log/log.ts";

const REPORT_EVERY_MS = 60_000;

/**
 * Warns of agents that registered without a key, because every agent reads what users ask. The log has at
 * most one line a minute, with the address of the last agent and the number of agents since the line before.
 */
export function createKeylessReport({ clock, log }: { clock: Clock; log: Log }) {
  let reportedAt = Number.NEGATIVE_INFINITY;
  let count = 0;
  return {
    report(address: string): void {
      count++;
      if (clock.now() - reportedAt < REPORT_EVERY_MS) return;
      log.warn("agent_keyless", { address, count });
      reportedAt = clock.now();
      count = 0;
    },
  };
}
