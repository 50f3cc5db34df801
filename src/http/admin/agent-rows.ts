import { type Model, OWN_PROGRAM } from "../../protocol/agent-v2.ts";
import { type AgentRow, REASON_LENGTH_MAX } from "../../protocol/node/lists.ts";
import type { Agent } from "../../relay/agent.ts";
import { shownReason } from "../../relay/health/circuit.ts";
import type { Results } from "../../relay/health/results.ts";
import type { Relay } from "../../relay/relay.ts";
import { type AskedModels, idleReason } from "../live/idle-reason.ts";
import type { NodeLists } from "../node-lists.ts";
import type { AgentAnswer } from "./schema.ts";

interface AgentRowsOptions {
  relay: Pick<Relay, "agents">;
  askedModels: Pick<AskedModels, "lastAt">;
  /** Milliseconds since 1970. */
  now: () => number;
  /** The version of this server. */
  version: string;
}

/** Makes the rows of the agents of this server, one by one, in the order of their registration. */
export function* agentRows({ relay, askedModels, now, version }: AgentRowsOptions): Generator<AgentRow> {
  const at = now();
  for (const agent of [...relay.agents()])
    yield {
      ...describeAgent(agent, idleReason(agent, askedModels, at), at),
      ...describeVersion(agent, version),
    };
}

/** Compares the agent's version with the server's, if the agent is this program. */
function describeVersion({ profile }: Agent, serverVersion: string) {
  const { version, program, capabilities } = profile;
  const isOld = program === OWN_PROGRAM && version !== undefined && isOlder(version, serverVersion);
  return {
    newer_version: isOld ? serverVersion : null,
    can_update: capabilities?.includes("update") ?? false,
  };
}

/** Returns false for a version that is not one of https://semver.org. */
function isOlder(version: string, other: string): boolean {
  return /^\d{1,9}\.\d{1,9}\.\d{1,9}(-[\w.-]+)?$/.test(version) && Bun.semver.order(version, other) < 0;
}

/** Returns the agents of all nodes. One that moves while the nodes are asked is listed at its newest place. */
export async function mergeAgents(own: readonly AgentRow[], nodes: Pick<NodeLists, "name" | "agents">) {
  const others = await nodes.agents();
  const agents = new Map<string, AgentAnswer>();
  for (const { node, rows } of [{ node: nodes.name, rows: own }, ...others.nodes])
    for (const row of rows)
      if ((agents.get(row.id)?.since ?? "") <= row.since) agents.set(row.id, { ...row, node });
  return { agents: [...agents.values()], missing_nodes: [...others.missing] };
}

function describeAgent(agent: Agent, noWorkBecause: string | null, now: number): AgentRow {
  const { profile, offer, preference, inUse, registeredAt, lastHeardAt, paused, leaving } = agent;
  return {
    id: agent.id,
    name: profile.name,
    version: profile.version ?? null,
    protocol: agent.isV1 ? "v1" : "v2",
    transport: profile.transport,
    address: profile.address,
    key: profile.key?.name ?? null,
    models: offer.models.map(({ id }) => id),
    loaded_models: loadedOf(offer.models),
    priority: preference.priority,
    weight: preference.weight,
    tags: [...preference.tags],
    slots: offer.slots,
    in_use: inUse.size,
    paused,
    draining: leaving !== undefined,
    no_work_because: noWorkBecause?.slice(0, REASON_LENGTH_MAX) ?? null,
    circuits: describeCircuits(agent, now),
    recent: describeRecent(agent),
    since: new Date(registeredAt).toISOString(),
    last_heard: new Date(lastHeardAt).toISOString(),
  };
}

function loadedOf(models: readonly Model[]): string[] | null {
  if (models.every(({ loaded }) => loaded === undefined)) return null;
  return models.flatMap(({ id, loaded }) => (loaded ? [id] : []));
}

function describeRecent({ results, mustAnswerPing }: Agent): NonNullable<AgentRow["recent"]> {
  const { failingSince, lastFailure, firstByteMs, isSlow = false } = results ?? {};
  return {
    ...(results?.counts ?? { requests: 0, failed: 0 }),
    failing_since: failingSince === undefined ? null : new Date(failingSince).toISOString(),
    last_error: lastFailure ? describeFailure(lastFailure) : null,
    first_byte_ms: firstByteMs ?? null,
    is_slow: isSlow || mustAnswerPing,
  };
}

const describeFailure = ({ error, at }: NonNullable<Results["lastFailure"]>) => ({
  reason: shownReason(error).slice(0, REASON_LENGTH_MAX),
  at: new Date(at).toISOString(),
});

function describeCircuits({ circuits }: Agent, now: number): AgentRow["circuits"] {
  return [...(circuits ?? [])].map(([model, circuit]) => ({
    model,
    state: circuit.stateAt(now),
    failures: circuit.failures,
    reason: shownReason(circuit.lastFailure.error).slice(0, REASON_LENGTH_MAX),
    failed_at: new Date(circuit.lastFailure.at).toISOString(),
    retry_at: new Date(circuit.retryAt).toISOString(),
  }));
}
