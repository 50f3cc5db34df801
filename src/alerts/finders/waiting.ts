import { NAMED_MAX, type ProblemDetails } from "../../protocol/node/problems.ts";
import type { Agent } from "../../relay/agent.ts";
import { type Finding, shownName } from "../finding.ts";
import type { AlertSources } from "../sources.ts";
import { namedAgent, reasonOf } from "./agents.ts";

/** The requests that wait for a model; the name is undefined if any will do. */
interface Waiting {
  model: string | undefined;
  requests: number;
  waitMs: number;
  /** The agents of this node that offer the model. */
  agents: Agent[];
}

type Sources = Pick<AlertSources, "relay" | "cluster">;

/** Requests that only wait for their turn become a problem later. */
const FULL_MS = 30_000;
/** Nothing frees an agent that fails or is paused. */
const HELPLESS_MS = 5_000;

/** Finds the models for which requests have waited for long, and why. */
export function findWaiting({ relay, cluster }: Sources, now: number): Finding[] {
  return modelsWaitedFor(relay).flatMap((waiting): Finding | [] => {
    const why = causeOf(waiting, { relay, cluster }, now);
    const isHelpless = why.cause === "failing" || why.cause === "paused" || why.cause === "gone";
    if (waiting.waitMs < (isHelpless ? HELPLESS_MS : FULL_MS)) return [];
    const { model, requests, waitMs, agents } = waiting;
    const details: ProblemDetails = {
      ...{ ...(model !== undefined && { models: [shownName(model)] }), requests, wait_ms: waitMs },
      ...{ count: agents.length, ...why },
    };
    const named = agents.slice(0, NAMED_MAX).map(namedAgent);
    return {
      ...{ code: "requests_waiting", subject: model === undefined ? "*" : shownName(model) },
      ...{ severity: isHelpless ? "critical" : "warning", since: now - waitMs },
      details: { ...(named.length > 0 && { agents: named }), ...details },
    };
  });
}

function modelsWaitedFor(relay: Sources["relay"]): Waiting[] {
  const found = new Map<string | undefined, Waiting>();
  for (const { model, waitedMs } of relay.waitingAsks()) {
    const waiting = found.getOrInsertComputed(model, () => ({ model, requests: 0, waitMs: 0, agents: [] }));
    waiting.requests++;
    waiting.waitMs = Math.max(waiting.waitMs, waitedMs);
  }
  if (found.size === 0) return [];
  const forAny = found.get(undefined)?.agents;
  for (const agent of relay.agents()) {
    forAny?.push(agent);
    for (const { id } of agent.offer.models) {
      const agents = found.get(id)?.agents;
      // An agent may list a model twice.
      if (agents && agents.at(-1) !== agent) agents.push(agent);
    }
  }
  return [...found.values()];
}

type Cause = Pick<
  ProblemDetails,
  "cause" | "cause_since" | "reason" | "agents_failing" | "agents_paused" | "agents_full" | "slots"
>;

function causeOf({ model, agents }: Waiting, { relay, cluster }: Sources, now: number): Cause {
  if (agents.length === 0) {
    if (model !== undefined && cluster?.offersElsewhere(model)) return { cause: "elsewhere" };
    const departure = model === undefined ? undefined : relay.lastWith(model);
    return {
      cause: "gone",
      ...(departure && { cause_since: departure.at, reason: nameOf(departure.agent) }),
    };
  }
  const { failing, paused, full } = byState(agents, model, now);
  const counts = { agents_failing: failing.length, agents_paused: paused.length, agents_full: full.length };
  const known = { ...counts, slots: agents.reduce((sum, { offer }) => sum + offer.slots, 0) };
  if (failing.length + paused.length + full.length < agents.length) return { cause: "restricted", ...known };
  if (failing.length === agents.length) return { cause: "failing", ...known, ...failureOf(failing) };
  if (paused.length === agents.length) return { cause: "paused", ...known };
  if (full.length === agents.length) return { cause: "full", ...known };
  return { cause: "mixed", ...known, ...(failing.length > 0 && failureOf(failing)) };
}

function byState(agents: readonly Agent[], model: string | undefined, now: number) {
  const states = { failing: [] as Agent[], paused: [] as Agent[], full: [] as Agent[] };
  for (const agent of agents) {
    if (fails(agent, model, now)) states.failing.push(agent);
    else if (!agent.takesWork) states.paused.push(agent);
    else if (agent.inUse.size >= agent.offer.slots) states.full.push(agent);
  }
  return states;
}

const nameOf = ({ profile }: Agent): string => shownName(profile.name);

function fails({ results, circuits }: Agent, model: string | undefined, now: number): boolean {
  if (results?.failingSince !== undefined) return true;
  return model !== undefined && circuits?.get(model)?.isBlockedAt(now) === true;
}

/** Since when the first of the agents has failed, and why. */
function failureOf(agents: readonly Agent[]): Cause {
  const sinceOf = ({ results }: Agent) => results?.failingSince ?? Number.POSITIVE_INFINITY;
  const first = agents.reduce((one, other) => (sinceOf(other) < sinceOf(one) ? other : one));
  const since = sinceOf(first);
  return { ...(Number.isFinite(since) && { cause_since: since }), reason: reasonOf(first) };
}
