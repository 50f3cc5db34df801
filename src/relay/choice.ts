import { AppError } from "../errors.ts";
import type { Agent } from "./agent.ts";
import type { Ask } from "./ask.ts";
import type { Hub } from "./hub.ts";
import type { FairQueue } from "./queue.ts";
import type { RelayOptions } from "./types.ts";

/** The hint for callers who ask while there is no model at all. */
const NO_MODEL_HINT =
  "No model is connected. The server's operator connects one with `chatgpt-api-server agent`, or with --upstream or --echo.";

type Test = (agent: Agent) => boolean;

/**
 * Returns a test for the agents that may serve the ask: those that can do the work, but none that had the ask
 * while an agent is connected that did not, and none that refused it.
 */
export function eligibleFor(ask: Ask, hub: Hub): Test {
  const { pin, work } = ask.request;
  if (pin !== undefined) return (agent) => agent.id === pin && agent.canDo(work);
  if (ask.isUntried) return (agent) => agent.canDo(work);
  const isUntried: Test = (agent) => agent.canDo(work) && !ask.hasFailedAt(agent.id);
  return hub.some(isUntried) ? isUntried : (agent) => ask.isRepeatable && agent.canDo(work);
}

/**
 * Returns the agent to send the ask to: if possible one without a cooldown, and the conversation's own before
 * the one that the hub chooses. A stale agent that is met moves out of the way, so that later asks skip it.
 */
export function chooseFor(ask: Ask, hub: Hub, now: number): Agent | undefined {
  const isEligible = eligibleFor(ask, hub);
  const mayGet: Test = (agent) => {
    if (!isEligible(agent)) return false;
    if (agent.isFresh(now)) return true;
    hub.setStale(agent);
    return false;
  };
  const isPreferred: Test = (agent) => agent.cooldownUntil <= now && mayGet(agent);
  return choose(ask, hub, isPreferred) ?? choose(ask, hub, mayGet);
}

function choose(ask: Ask, hub: Hub, test: Test): Agent | undefined {
  return ownOf(ask, hub, test) ?? (ask.request.pin === undefined ? hub.choose(test) : undefined);
}

/** Returns the stale agent to ping for the ask, in the same order. */
export function chooseStaleFor(ask: Ask, hub: Hub, mayPing: Test): Agent | undefined {
  const isEligible = eligibleFor(ask, hub);
  const test: Test = (agent) => isEligible(agent) && mayPing(agent);
  return ownOf(ask, hub, test) ?? (ask.request.pin === undefined ? hub.chooseStale(test) : undefined);
}

function ownOf({ request: { pin, prefer = pin } }: Ask, hub: Hub, test: Test): Agent | undefined {
  const own = prefer === undefined ? undefined : hub.agents.get(prefer);
  return own?.hasRoom && test(own) ? own : undefined;
}

/**
 * Returns how long to wait until an agent connects that could serve the ask: Infinity if one is connected, as
 * other limits then apply; 0 or less if there is no point in waiting.
 */
export function hopeMs(ask: Ask, hub: Hub, { limits, clock }: RelayOptions): number {
  if (hub.some(eligibleFor(ask, hub))) return Number.POSITIVE_INFINITY;
  if (!ask.isRepeatable) return 0;
  const departure = hub.departure(ask.request);
  return departure ? departure.at + limits.reconnectGraceMs - clock.now() : 0;
}

/** Returns why a new ask may not wait; undefined if it may. */
export function whyRefuse(
  ask: Ask,
  hub: Hub,
  queue: FairQueue<Ask>,
  options: RelayOptions,
): AppError | undefined {
  const { queueMax, queueUserMax } = options.limits;
  if (hopeMs(ask, hub, options) <= 0) return noAgentError(ask, hub);
  if (queue.sizeOf(ask.principal) >= queueUserMax) return new AppError("user_queue_full");
  return queue.size >= queueMax ? new AppError("queue_full") : undefined;
}

/** Returns the error for a request that comes while no agent offers any model. */
export function noModelError(): AppError {
  return new AppError("no_agent", { hint: NO_MODEL_HINT });
}

function notOfferedError({ request: { work } }: Ask): AppError {
  const wanted = work.model === undefined ? "a model that you may use" : "the model asked for";
  const isAny = work.model === undefined && work.models === undefined;
  return new AppError("no_agent", isAny ? {} : { hint: `No connected agent offers ${wanted}.` });
}

/** Returns what the caller gets when there is no point in waiting for an agent. */
export function noAgentError(ask: Ask, hub: Hub): AppError {
  if (ask.failure) return ask.failure;
  const { pin, work } = ask.request;
  if (pin === undefined) return hub.agents.size === 0 ? noModelError() : notOfferedError(ask);
  const own = hub.agents.get(pin);
  if (own && !own.canDo(work) && own.canDo({ ...work, models: undefined }))
    return new AppError("model_not_allowed");
  const missed = hub.departure(ask.request)?.reason === "pong_missed";
  return new AppError(missed ? "ping_failed" : "conversation_agent_gone");
}
