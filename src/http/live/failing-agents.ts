import { FAILING_MAX, REASON_LENGTH_MAX } from "../../protocol/node/lists.ts";
import type { Agent } from "../../relay/agent.ts";
import { shownReason } from "../../relay/health/circuit.ts";
import type { Overview } from "./schema.ts";

type Failing = NonNullable<Overview["agents"]["failing"]>;

/** Returns the agents that fail most of their requests, those that have for longest first; undefined if none does. */
export function failingAgents(agents: Iterable<Agent>): Failing | undefined {
  const found: Failing = [];
  for (const { id, profile, results } of agents) {
    const { failingSince, lastFailure } = results ?? {};
    if (!results || failingSince === undefined || !lastFailure) continue;
    const reason = shownReason(lastFailure.error).slice(0, REASON_LENGTH_MAX);
    const since = new Date(failingSince).toISOString();
    found.push({ id, name: profile.name, ...results.counts, since, reason });
  }
  return firstFailing(found);
}

/** Returns as many as are shown; undefined if there are none. */
export function firstFailing(agents: Failing): Failing | undefined {
  if (agents.length === 0) return undefined;
  return agents.toSorted((a, b) => (a.since < b.since ? -1 : 1)).slice(0, FAILING_MAX);
}
