import { check, outcomeOf } from "./checker.ts";
import { type CallerEntry, FAULTS, type FaultEntry, type Logs } from "./logs.ts";
import type { RunResult } from "./run.ts";

/** A tenth of the violations of a bad run says as much as all. */
const SHOWN_MAX = 20;
const DETAIL_LENGTH = 200;
/** How long after a fault its effect on latency is looked at. */
const AFTER_MS = 10_000;

/** Returns the figures of a run and its violations, for people. */
export function reportOf({ logs, usableAfterMs }: Pick<RunResult, "logs" | "usableAfterMs">): {
  text: string;
  violations: number;
} {
  const violations = check(logs);
  const { callers, faults } = logs;
  const count = (outcome: string) => callers.filter((entry) => outcomeOf(entry) === outcome).length;
  const byRule = Map.groupBy(violations, ({ rule }) => rule);
  const kinds = Map.groupBy(faults, ({ kind }) => kind);
  const lines = [
    `asks               ${callers.length}`,
    ...["answered", "failed", "broke off", "lost"].map((name) => `  ${name.padEnd(17)}${count(name)}`),
    `  sent again       ${callers.filter(({ sendings }) => sendings.length > 1).length}`,
    `executed           ${logs.agents.length}, more than once: ${countRepeated(logs)}`,
    `faults             ${[...kinds].map(([kind, list]) => `${list.length} ${kind}`).join(", ")}`,
    `usable after kill  ${usableAfterMs.map((ms) => (ms === undefined ? "never" : `${ms} ms`)).join(", ")}`,
    ...latencies(callers, faults),
    `violations         ${violations.length}`,
    ...[...byRule].map(([rule, list]) => `  ${rule.padEnd(24)}${list.length}`),
    ...violations
      .slice(0, SHOWN_MAX)
      .map(({ rule, of, detail }) => `  ${rule}: ${of}: ${detail.slice(0, DETAIL_LENGTH)}`),
  ];
  return { text: `${lines.join("\n")}\n`, violations: violations.length };
}

function countRepeated({ agents }: Logs): number {
  const counts = new Map<string, number>();
  for (const { ask } of agents) counts.set(ask, (counts.get(ask) ?? 0) + 1);
  return [...counts.values()].filter((times) => times > 1).length;
}

/** Returns the times of answered asks: without a fault, and for each kind during it and after its end. */
function latencies(callers: readonly CallerEntry[], faults: readonly FaultEntry[]): string[] {
  const answered = callers.filter((entry) => outcomeOf(entry) === "answered");
  const between = (entry: CallerEntry, from: number, until: number) =>
    entry.beganAt >= from && entry.beganAt < until;
  const quiet = answered.filter((entry) =>
    faults.every(({ from, until }) => !between(entry, from - 500, until + AFTER_MS)),
  );
  const kinds = Object.keys(FAULTS).filter((kind) => faults.some((fault) => fault.kind === kind));
  return [
    `latency, quiet     ${percentiles(quiet)}`,
    ...kinds.flatMap((kind) => {
      const own = faults.filter((fault) => fault.kind === kind);
      const inAny = (fromOf: (fault: FaultEntry) => number, untilOf: (fault: FaultEntry) => number) =>
        answered.filter((entry) => own.some((fault) => between(entry, fromOf(fault), untilOf(fault))));
      const during = inAny(
        ({ from }) => from,
        ({ until }) => until,
      );
      const after = inAny(
        ({ until }) => until,
        ({ until }) => until + AFTER_MS,
      );
      return [`  ${kind.padEnd(17)}during ${percentiles(during)}; after ${percentiles(after)}`];
    }),
  ];
}

function percentiles(entries: readonly CallerEntry[]): string {
  const times = entries.map(({ beganAt, endedAt = beganAt }) => endedAt - beganAt).sort((a, b) => a - b);
  if (times.length === 0) return "no answer";
  const at = (share: number) => times[Math.min(times.length - 1, Math.floor(share * times.length))];
  return `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`;
}
