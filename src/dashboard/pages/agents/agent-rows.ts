import type { Agent } from "../../api/types.ts";
import { formatDuration, formatTime } from "../../format.ts";
import { searchable } from "../../search-text.ts";

/** An agent's state in one word, and what to know about it. */
export interface AgentState {
  label: "Draining" | "Paused" | "Failing" | "Slow" | "Full" | "Working" | "Ready" | "Idle" | "No models";
  tone: "ok" | "warn" | "accent" | "plain" | "bad";
  reason: string | null;
}

export function stateOf(agent: Agent): AgentState {
  const reason = agent.no_work_because;
  if (agent.draining)
    return { label: "Draining", tone: "warn", reason: "It is finishing its running requests." };
  if (agent.paused) return { label: "Paused", tone: "warn", reason: "It asked for no more requests." };
  if (agent.models.length === 0) return { label: "No models", tone: "warn", reason };
  const failing = failureOf(agent);
  if (failing !== undefined) return { label: "Failing", tone: "bad", reason: failing };
  if (agent.recent?.is_slow) return { label: "Slow", tone: "warn", reason: slowText(agent) };
  if (agent.in_use >= agent.slots) return { label: "Full", tone: "accent", reason: null };
  if (reason !== null) return { label: "Idle", tone: "plain", reason };
  return { label: agent.in_use > 0 ? "Working" : "Ready", tone: "ok", reason: null };
}

/** Returns what fails at the agent, and since when; undefined if it does not fail. */
function failureOf({ circuits, recent, no_work_because: reason }: Agent): string | undefined {
  const last = recent?.last_error;
  if (recent?.failing_since && last)
    return `${recent.failed} of the last ${recent.requests} requests failed, since ${formatTime(recent.failing_since)}. The last error: ${last.reason}.`;
  const [open] = circuits.filter(({ state }) => state !== "closed");
  return open && (reason ?? `No requests for ${open.model}: ${open.reason}.`);
}

function slowText({ recent, no_work_because: reason }: Agent): string {
  const wait = recent?.first_byte_ms ?? null;
  if (reason !== null || wait === null)
    return reason ?? "It took too long for its last request, and has not answered a ping since.";
  return `Half of its latest answers took longer than ${formatDuration(wait)} to begin.`;
}

export const AGENT_ORDERS = [
  { value: "newest", label: "Newest first" },
  { value: "name", label: "Name" },
  { value: "load", label: "Busiest first" },
  { value: "idle", label: "Not receiving requests first" },
  { value: "silent", label: "Longest silent first" },
] as const;
export type AgentOrder = (typeof AGENT_ORDERS)[number]["value"];

const COMPARE: Record<AgentOrder, (a: Agent, b: Agent) => number> = {
  newest: (a, b) => b.since.localeCompare(a.since),
  name: (a, b) => a.name.localeCompare(b.name, "en", { numeric: true, sensitivity: "base" }),
  load: (a, b) => b.in_use / b.slots - a.in_use / a.slots || b.in_use - a.in_use,
  idle: (a, b) => Number(a.no_work_because === null) - Number(b.no_work_because === null),
  silent: (a, b) => a.last_heard.localeCompare(b.last_heard),
};

/**
 * Returns the agents that contain every word of `search`, sorted. Ties are sorted by id, so that rows stay in
 * place.
 */
export function agentRows(agents: readonly Agent[], search: string, order: AgentOrder): Agent[] {
  const words = searchable(search).split(/\s+/).filter(Boolean);
  const found = words.length === 0 ? agents : agents.filter((agent) => hasWords(agent, words));
  return found.toSorted((a, b) => COMPARE[order](a, b) || a.id.localeCompare(b.id));
}

function hasWords(agent: Agent, words: readonly string[]): boolean {
  const { id, name, version, address, key, node, models, tags } = agent;
  const state = stateOf(agent);
  const old = typeof agent.newer_version === "string" ? "old" : null;
  const shown = [id, name, version, address, key, node, old];
  const fields = [...shown, state.label, state.reason, `protocol:${agent.protocol}`, agent.transport];
  const text = searchable([...fields, ...models, ...tags].join("\n"));
  return words.every((word) => text.includes(word));
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
