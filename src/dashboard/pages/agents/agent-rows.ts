import { searchable } from "../../../search-text.ts";
import type { Agent } from "../../api/types.ts";
import { formatDuration, formatTime } from "../../format.ts";
import { compareNames, text } from "../../texts/texts.ts";

/** An agent's state in one word, and what to know about it. */
export interface AgentState {
  label: string;
  tone: "ok" | "warn" | "accent" | "plain" | "bad";
  reason: string | null;
}

export function stateOf(agent: Agent): AgentState {
  const reason = agent.no_work_because;
  if (agent.draining)
    return {
      label: text("agents.state.draining"),
      tone: "warn",
      reason: text("agents.state.draining.reason"),
    };
  if (agent.paused)
    return { label: text("agents.state.paused"), tone: "warn", reason: text("agents.state.paused.reason") };
  if (agent.models.length === 0) return { label: text("agents.state.noModels"), tone: "warn", reason };
  const failing = failureOf(agent);
  if (failing !== undefined) return { label: text("agents.state.failing"), tone: "bad", reason: failing };
  if (agent.recent?.is_slow)
    return { label: text("agents.state.slow"), tone: "warn", reason: slowText(agent) };
  if (agent.in_use >= agent.slots) return { label: text("agents.state.full"), tone: "accent", reason: null };
  if (reason !== null) return { label: text("agents.state.idle"), tone: "plain", reason };
  return {
    label: text(agent.in_use > 0 ? "agents.state.working" : "agents.state.ready"),
    tone: "ok",
    reason: null,
  };
}

/** Returns what fails at the agent, and since when; undefined if it does not fail. */
function failureOf({ circuits, recent, no_work_because: reason }: Agent): string | undefined {
  const last = recent?.last_error;
  if (recent?.failing_since && last)
    return text("agents.state.failing.since", {
      failed: recent.failed,
      count: recent.requests,
      time: formatTime(recent.failing_since),
      error: last.reason,
    });
  const [open] = circuits.filter(({ state }) => state !== "closed");
  return open && (reason ?? text("agents.state.failing.model", { model: open.model, reason: open.reason }));
}

function slowText({ recent, no_work_because: reason }: Agent): string {
  const wait = recent?.first_byte_ms ?? null;
  if (reason !== null || wait === null) return reason ?? text("agents.state.slow.silent");
  return text("agents.state.slow.half", { time: formatDuration(wait) });
}

export const AGENT_ORDERS = [
  { value: "newest", label: text("agents.order.newest") },
  { value: "name", label: text("agents.order.name") },
  { value: "load", label: text("agents.order.load") },
  { value: "idle", label: text("agents.order.idle") },
  { value: "silent", label: text("agents.order.silent") },
] as const;
export type AgentOrder = (typeof AGENT_ORDERS)[number]["value"];

/** Compares ids and times, which no language orders in another way. */
const compare = (a: string, b: string) => Number(a > b) - Number(a < b);

const COMPARE: Record<AgentOrder, (a: Agent, b: Agent) => number> = {
  newest: (a, b) => compare(b.since, a.since),
  name: (a, b) => compareNames(a.name, b.name),
  load: (a, b) => b.in_use / b.slots - a.in_use / a.slots || b.in_use - a.in_use,
  idle: (a, b) => Number(a.no_work_because === null) - Number(b.no_work_because === null),
  silent: (a, b) => compare(a.last_heard, b.last_heard),
};

/**
 * Returns the agents that contain every word of `search`, sorted. Ties are sorted by id, so that rows stay in
 * place.
 */
export function agentRows(agents: readonly Agent[], search: string, order: AgentOrder): Agent[] {
  const words = searchable(search).split(/\s+/).filter(Boolean);
  const found = words.length === 0 ? agents : agents.filter((agent) => hasWords(agent, words));
  return found.toSorted((a, b) => COMPARE[order](a, b) || compare(a.id, b.id));
}

function hasWords(agent: Agent, words: readonly string[]): boolean {
  const { id, name, version, address, key, node, models, tags } = agent;
  const state = stateOf(agent);
  const old = typeof agent.newer_version === "string" ? "old" : null;
  const shown = [id, name, version, address, key, node, old];
  const fields = [...shown, state.label, state.reason, `protocol:${agent.protocol}`, agent.transport];
  const searched = searchable([...fields, ...models, ...tags].join("\n"));
  return words.every((word) => searched.includes(word));
}

/** Returns the number of agents per key, by the keys' names. */
export function countByKey(agents: readonly Agent[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { key } of agents) if (key !== null) counts.set(key, (counts.get(key) ?? 0) + 1);
  return counts;
}

/** Returns `name`, or the first of `name 2`, `name 3`, … that is not taken. */
export function freeName(name: string, taken: ReadonlySet<string>): string {
  if (!taken.has(name)) return name;
  for (let count = 2; ; count++) if (!taken.has(`${name} ${count}`)) return `${name} ${count}`;
}
