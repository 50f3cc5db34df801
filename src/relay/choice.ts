import { AppError } from "../errors.ts";
import type { Agent } from "./agent.ts";
import type { Ask } from "./ask.ts";
import { blockedError, type Failure, retryLater } from "./health/circuit.ts";
import type { Hub } from "./hub.ts";
import type { FairQueue } from "./queue.ts";
import type { RelayOptions } from "./types.ts";

/** The hint for callers who ask while there is no model at all. */
const NO_MODEL_HINT =
  "No model is connected. The server's operator connects one with `chatgpt-api-server agent`, or with --upstream or --echo.";

type Test = (agent: Agent) => boolean;

/**
 * Returns a test for the agents that may serve the ask: those that can do the work and whose circuit lets it
 * through, but none that had the ask while an agent is connected that did not, and none that refused it.
 */
export function eligibleFor(ask: Ask, hub: Hub, now: number): Test {
  const { pin, work } = ask.request;
  const may: Test = (agent) => agent.canDo(work) && !agent.isBlocked(work, now);
  if (pin !== undefined) return (agent) => agent.id === pin && may(agent);
  if (ask.isUntried) return may;
  const isUntried: Test = (agent) => !ask.hasFailedAt(agent.id) && may(agent);
  return hub.some(isUntried) ? isUntried : (agent) => ask.isRepeatableAt(agent.id) && may(agent);
}

/**
 * Returns the agent to send the ask to; undefined if none has room. Of those that may serve it, the ones without a
 * recent failure come first, and among these the conversation's own, then the one that the hub chooses. A stale
 * agent that is met moves out of the way, so that later asks skip it.
 */
export function chooseFor(ask: Ask, hub: Hub, now: number): Agent | undefined {
  const isEligible = eligibleFor(ask, hub, now);
  const { work } = ask.request;
  let isOneAvoided = false;
  const mayGet: Test = (agent) => {
    if (!isEligible(agent)) return false;
    if (agent.isFresh(now)) return true;
    hub.setStale(agent);
    return false;
  };
  const isPreferred: Test = (agent) => {
    if (!agent.isAvoided(work, now)) return mayGet(agent);
    isOneAvoided = true;
    return false;
  };
  return choose(ask, hub, isPreferred) ?? (isOneAvoided ? choose(ask, hub, mayGet) : undefined);
}

function choose(ask: Ask, hub: Hub, test: Test): Agent | undefined {
  return ownOf(ask, hub, test) ?? (ask.request.pin === undefined ? hub.choose(test) : undefined);
}

/** Returns the stale agent to ping for the ask, in the same order. */
export function chooseStaleFor(ask: Ask, hub: Hub, now: number, mayPing: Test): Agent | undefined {
  const isEligible = eligibleFor(ask, hub, now);
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
  const now = clock.now();
  if (hub.some(eligibleFor(ask, hub, now))) return Number.POSITIVE_INFINITY;
  if (!ask.isRepeatable) return 0;
  const departure = hub.departure(ask.request);
  if (!departure || departure.agent.isBlocked(ask.request.work, now)) return 0;
  return departure.at + limits.reconnectGraceMs - now;
}

/** Returns why a new ask may not wait; undefined if it may. */
export function whyRefuse(
  ask: Ask,
  hub: Hub,
  queue: FairQueue<Ask>,
  options: RelayOptions,
): AppError | undefined {
  const { queueMax, queueUserMax } = options.limits;
  if (hopeMs(ask, hub, options) <= 0) return noAgentError(ask, hub, options.clock.now());
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
export function noAgentError(ask: Ask, hub: Hub, now: number): AppError {
  const blocked = allBlockedError(ask, hub, now);
  if (blocked) return blocked;
  if (ask.failure) return ask.failure;
  const { pin, work } = ask.request;
  if (pin === undefined) return hub.agents.size === 0 ? noModelError() : notOfferedError(ask);
  const own = hub.agents.get(pin);
  if (own && !own.canDo(work) && own.canDo({ ...work, models: undefined }))
    return new AppError("model_not_allowed");
  const missed = hub.departure(ask.request)?.reason === "pong_missed";
  return new AppError(missed ? "ping_failed" : "conversation_agent_gone");
}

/** Returns the error of an ask for which every agent that could serve it is blocked; undefined if one is not. */
function allBlockedError({ request, principal, failure }: Ask, hub: Hub, now: number): AppError | undefined {
  const { pin, work } = request;
  let waitMs = Number.POSITIVE_INFINITY;
  let last: Failure | undefined;
  for (const agent of hub.agents.values()) {
    if ((pin !== undefined && agent.id !== pin) || !agent.canDo(work)) continue;
    const circuit = agent.circuitFor(work);
    if (!circuit?.isBlockedAt(now)) return undefined;
    waitMs = Math.min(waitMs, circuit.waitMs(now));
    if (!last || circuit.lastFailure.at >= last.at) last = circuit.lastFailure;
  }
  if (!last) return undefined;
  return failure ? retryLater(failure, waitMs) : blockedError(last, principal, waitMs);
}
