import { table } from "../../src/cli/terminal/text-table.ts";
import type { PlayedAgent } from "./played-agent.ts";
import type { UserGroup } from "./pool.ts";
import type { Simulation } from "./simulation.ts";
import { Times, unfairness } from "./tally.ts";

/** Returns what a simulation shows, as plain numbers: times in milliseconds, shares from 0 to 1. */
export function reportOf(simulation: Simulation) {
  const { pool, asks, seed, virtualMs, tally, agents, waiting } = simulation;
  const { later, cached, moved, movedInVain } = tally.turns;
  const failures = [...tally.outcomes].filter(([outcome]) => outcome !== "ok");
  return {
    about: pool.about,
    ...{ asks, seed, virtualMs },
    asksPerSecond: tally.times.all.count / (virtualMs / 1000),
    ...timesOf(tally.times),
    errors: failures.reduce((sum, [, count]) => sum + count, 0),
    errorsByCode: Object.fromEntries(failures.sort()),
    tries: tally.tries,
    swaps: agents.reduce((sum, { machine }) => sum + machine.swaps, 0),
    /** Shares of the asks that continue a conversation. */
    cacheHits: share(cached, later),
    moved: share(moved, later),
    movedInVain: share(movedInVain, later),
    /** Moments at which an ask waited although an agent could serve it. */
    needlessWaits: waiting.count,
    needlessWaitExamples: waiting.examples,
    groups: pool.users.map((group) => groupReport(group, simulation)),
    agents: agents.map((agent) => agentReport(agent, virtualMs)),
  };
}

export type Report = ReturnType<typeof reportOf>;

function timesOf({ wait, firstByte, all }: Times) {
  return {
    waitMs: { p50: wait.quantile(0.5), p99: wait.quantile(0.99) },
    firstByteMs: { p50: firstByte.quantile(0.5), p99: firstByte.quantile(0.99) },
    allMs: { p50: all.quantile(0.5), p99: all.quantile(0.99) },
  };
}

function groupReport(group: UserGroup, { tally, users }: Simulation) {
  const ofGroup = users.filter((user) => user.group === group);
  const times = tally.timesOf.get(group) ?? new Times();
  const asks = ofGroup.reduce((sum, { waits }) => sum + waits.count, 0);
  const inBacklog = [...tally.answeredInBacklog.values()].reduce((sum, count) => sum + count, 0);
  return {
    name: group.name,
    users: group.count,
    priority: group.priority,
    asks,
    errors: asks - times.all.count,
    ...timesOf(times),
    unfairness: unfairness(ofGroup),
    /** The share of the asks that were sent while asks of every user waited, and answered. */
    backlogShare: share(tally.answeredInBacklog.get(group) ?? 0, inBacklog),
  };
}

function agentReport({ id, sent, failed, busyMs, group, machine, recovery }: PlayedAgent, virtualMs: number) {
  return {
    name: id,
    sent,
    failed,
    /** The mean share of its slots in use. */
    load: busyMs / virtualMs / group.slots,
    swaps: machine.swaps,
    refusedInMinuteMax: recovery.refusedInMinuteMax,
    idleAfterFaultMsMax: recovery.idleMsMax,
  };
}

const share = (part: number, whole: number) => (whole === 0 ? undefined : part / whole);

/** Returns the report as text. */
export function textOf(report: Report): string {
  const { asks, virtualMs, errorsByCode, groups, agents } = report;
  const codes = Object.entries(errorsByCode).map(([code, count]) => `${code} ${count}`);
  const rows: [string, string][] = [
    ["asks", `${asks} in ${duration(virtualMs)} of virtual time`],
    ["throughput", `${report.asksPerSecond.toPrecision(3)} answers a second`],
    ["wait for an agent", spread(report.waitMs)],
    ["first byte", spread(report.firstByteMs)],
    ["whole answer", spread(report.allMs)],
    ["cache hits", `${percent(report.cacheHits)} of later turns`],
    ["moved turns", `${percent(report.moved)}, without need ${percent(report.movedInVain)}`],
    ["model swaps", `${report.swaps}`],
    ["errors", [`${report.errors}`, ...codes].join("  ")],
    ["tries", `${report.tries}`],
    ["needless waits", `${report.needlessWaits}`],
  ];
  return [`${report.about}\n`, table(rows), groupTable(groups), agentTable(agents)].join("\n");
}

function groupTable(groups: Report["groups"]): string {
  const heads = ["users", "count", "class", "asks", "errors", "wait p50 / p99", "first byte p50 / p99"];
  const rows = groups.map((group) => [
    ...[group.name, `${group.users}`, group.priority, `${group.asks}`, `${group.errors}`],
    ...[spread(group.waitMs), spread(group.firstByteMs)],
    group.unfairness === undefined ? "–" : group.unfairness.toFixed(2),
    percent(group.backlogShare),
  ]);
  return table([[...heads, "longest / shortest mean", "share in backlog"], ...rows]);
}

function agentTable(agents: Report["agents"]): string {
  const heads = ["agent", "sent", "failed", "load", "swaps", "refused in a minute", "idle after a fault"];
  const rows = agents.map((agent) => [
    ...[agent.name, `${agent.sent}`, `${agent.failed}`, percent(agent.load), `${agent.swaps}`],
    ...[`${agent.refusedInMinuteMax}`, duration(agent.idleAfterFaultMsMax)],
  ]);
  return table([heads, ...rows]);
}

const percent = (value: number | undefined) => (value === undefined ? "–" : `${(100 * value).toFixed(1)} %`);
const spread = ({ p50, p99 }: { p50: number; p99: number }) => `${duration(p50)} / ${duration(p99)}`;

function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 600_000) return `${Number((ms / 1_000).toPrecision(3))} s`;
  return ms < 36_000_000 ? `${Math.round(ms / 60_000)} min` : `${Math.round(ms / 3_600_000)} h`;
}
