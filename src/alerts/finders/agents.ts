import type { Agent } from "../../relay/agent.ts";
import { shownReason } from "../../relay/health/circuit.ts";
import { type Finding, shownName, shownReasonText } from "../finding.ts";
import type { AlertSources, NamedAgent } from "../sources.ts";

/** An agent as problems name it, harmless wherever it is shown. */
export const namedAgent = ({ id, profile }: NamedAgent) => ({
  id: shownName(id),
  name: shownName(profile.name),
});

/** Finds the agents that fail most of their requests. */
export function findFailing({ relay }: Pick<AlertSources, "relay">): Finding[] {
  const found: Finding[] = [];
  for (const agent of relay.agents()) {
    const { failingSince, lastFailure } = agent.results ?? {};
    if (!agent.results || failingSince === undefined || !lastFailure) continue;
    found.push({
      ...{ code: "agent_failing", subject: shownName(agent.id), severity: "warning", since: failingSince },
      details: { agents: [namedAgent(agent)], ...agent.results.counts, reason: reasonOf(agent) },
    });
  }
  return found;
}

/** Why the agent failed last. */
export function reasonOf({ results }: Agent): string {
  return results?.lastFailure ? shownReasonText(shownReason(results.lastFailure.error)) : "";
}

/** Finds that no agent of any node takes requests. It is no fault of a server to which none has ever connected. */
export function findNoAgent(
  { relay, cluster }: Pick<AlertSources, "relay" | "cluster">,
  hadAgents: boolean,
): Finding[] {
  const { available } = relay.capacity();
  if (available + (cluster?.agentsElsewhere() ?? 0) > 0) return [];
  const { agents } = relay.stats();
  const severity = hadAgents ? "critical" : "info";
  return [{ code: "no_agent", subject: "", severity, details: { count: agents } }];
}
