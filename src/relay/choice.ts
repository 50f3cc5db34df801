import { AppError } from "../errors.ts";
import type { Agent } from "./agent.ts";
import type { Ask } from "./ask.ts";
import { blockedError, type Failure, retryLater } from "./health/circuit.ts";
import type { Hub } from "./hub.ts";
import type { RelayOptions } from "./options.ts";
import type { Peers } from "./peers.ts";
import type { AffinityBook } from "./routing/affinity.ts";
import type { Need, Place, Requirement } from "./routing/need.ts";
import { maySwap } from "./routing/swap.ts";
import { ticketOf } from "./tickets/ticket.ts";
import type { RelayLimits } from "./types.ts";

/** The hint for callers who ask while there is no model at all. */
const NO_MODEL_HINT =
  "No model is connected. The server's operator connects one with `chatgpt-api-server agent`, or with --upstream or --echo.";

/** Returns what an agent must have to get the ask. */
export function requirementOf({ request, work }: Ask): Requirement {
  const { pin, tags = [] } = request;
  const { model, models } = work;
  // The same for all who may use the model, so that their asks wait together.
  const isAllowed = model !== undefined && models?.includes(model) === true;
  return {
    work: isAllowed ? { ...work, models: undefined } : work,
    tags,
    pin,
    isPreferred: false,
  };
}

/**
 * Returns a test for the agents of the need that may serve the ask, as far as its earlier tries decide: none that had
 * it while an agent is connected that did not, and none that refused it.
 */
export function eligibleFor(ask: Ask, need: Need, now: number): (agent: Agent) => boolean {
  if (ask.isUntried) return () => true;
  const isUntried = (agent: Agent) => !ask.hasFailedAt(agent.id);
  const { work } = need.requirement;
  const isOneLeft = need.some((agent) => isUntried(agent) && !agent.isBlocked(work, now));
  return isOneLeft ? isUntried : (agent) => ask.isRepeatableAt(agent.id);
}

/** The number of stale agents that an ask moves out of its way in one turn of the event loop. */
const STALE_MAX = 200;

/**
 * Returns the agent to send the ask to; undefined if none has room, or only such as are not worth it yet. A stale
 * agent that is met moves out of the way, so that later asks skip it. After many of them the result is "later".
 */
export function chooseFor(
  need: Need,
  hub: Hub,
  test: (place: Place) => boolean,
  now: number,
): Place | "later" | undefined {
  for (let count = 0; count < STALE_MAX; count++) {
    const place = need.best(test, now);
    if (!place || place.agent.isFresh(now)) return place;
    hub.setStale(place, now);
  }
  return "later";
}

/**
 * Returns a test for the agents that an ask may be sent to: those that are eligible by its earlier tries, not too
 * slow, and need not swap models for it.
 */
export function mayGet(ask: Ask, need: Need, hub: Hub, { limits }: RelayOptions, now: number) {
  const isEligible = eligibleFor(ask, need, now);
  const waitedMs = ask.waitedMs(now);
  const swap = { needs: hub.needs, now, patienceMs: limits.affinityWaitMs };
  return (place: Place): boolean =>
    isEligible(place.agent) &&
    !need.pace.isTooSlow(place, waitedMs, now) &&
    (!place.isCold || maySwap(place, waitedMs, swap));
}

/** Returns the place of the agent that has the most of the ask cached, if one is known and can do the work. */
export function preferredOf(ask: Ask, need: Need, hub: Hub, book: AffinityBook): Place | undefined {
  const { affinity, prefer, pin, principal } = ask.request;
  const known = affinity && book.find(principal, ask.work.model ?? "", affinity);
  ask.preferred = pin ?? known ?? prefer;
  const agent = ask.preferred === undefined ? undefined : hub.agents.get(ask.preferred);
  return pin === undefined && agent ? need.places.get(agent) : undefined;
}

/** Whether waiting for the agent makes sense. */
export function isUseful(need: Need, agent: Agent, now: number): boolean {
  return agent.takesWork && !agent.isBlocked(need.requirement.work, now);
}

/** Whether the ask should rather wait for the agent for a while than go to another. */
export function mayWaitFor(ask: Ask, place: Place, hub: Hub, options: RelayOptions, now: number): boolean {
  const { need, agent, model } = place;
  if (!agent.takesWork || agent.circuits?.get(model)?.isAvoidedAt(now)) return false;
  if (need.hasRoomAbove(agent.preference.priority)) return false;
  return mayGet(ask, need, hub, options, now)(place);
}

/** Whether the agent that the ask prefers is one of another node. */
export function prefersElsewhere(ask: Ask, { agents }: Hub, { peers }: RelayOptions): boolean {
  const { preferred, isTicket, request } = ask;
  if (!peers || isTicket || preferred === undefined || request.pin !== undefined) return false;
  return peers.isConnected(preferred) && !agents.has(preferred);
}

/**
 * Returns how long to wait until an agent connects that could serve the ask, to any node: Infinity if one is connected, as
 * other limits then apply; 0 or less if there is no point in waiting.
 */
export function hopeMs(ask: Ask, need: Need, hub: Hub, options: RelayOptions): number {
  const now = options.clock.now();
  const ownMs = ownHopeMs(ask, need, hub, options.limits, now);
  if (!options.peers || ownMs === Number.POSITIVE_INFINITY) return ownMs;
  return Math.max(ownMs, options.peers.hopeMs(ticketOf(ask, need.requirement, "", now)));
}

/** Does the same as `hopeMs` for the agents of this node. */
function ownHopeMs(ask: Ask, need: Need, hub: Hub, limits: RelayLimits, now: number): number {
  const isEligible = eligibleFor(ask, need, now);
  if (need.some((agent) => isEligible(agent) && !agent.isBlocked(ask.work, now)))
    return Number.POSITIVE_INFINITY;
  if (!ask.isRepeatable) return 0;
  const departure = hub.lastDeparture(ask.request, ask.work);
  if (!departure || departure.agent.isBlocked(ask.work, now)) return 0;
  return departure.at + limits.reconnectGraceMs - now;
}

/** Returns why a new ask may not wait; undefined if it may. */
export function whyRefuse(ask: Ask, need: Need, hub: Hub, options: RelayOptions): AppError | undefined {
  if (hopeMs(ask, need, hub, options) <= 0) return noAgentError(ask, need, hub, options);
  const code = queueFault(ask, hub, options.limits);
  return code && withWait(new AppError(code), need, hub);
}

/** Returns the reason if the ask may not wait with the others. */
export function queueFault(ask: Ask, hub: Hub, limits: RelayLimits) {
  if (hub.needs.ownSizeOf(ask.principal) >= limits.queueUserMax) return "user_queue_full";
  return hub.needs.ownSize >= limits.queueMax ? "queue_full" : undefined;
}

/** Returns the error with the time that an ask would have had to wait, if that is known. */
export function withWait(error: AppError, need: Need, hub: Hub): AppError {
  let waiting = need.waiting.size;
  for (const rival of hub.needs.rivalsOf(need)) waiting += rival.waiting.size;
  const waitMs = need.pace.waitMs(waiting);
  return waitMs === undefined ? error : retryLater(error, waitMs);
}

/** Returns the error for a request that comes while no agent offers any model. */
export function noModelError(): AppError {
  return new AppError("no_agent", { hint: NO_MODEL_HINT });
}

function notOfferedError({ request: { tags }, work }: Ask, hub: Hub, peers: Peers | undefined): AppError {
  const wanted = work.model === undefined ? "a model that you may use" : "the model asked for";
  if (tags && tags.length > 0 && (hub.some((agent) => agent.canDo(work)) || peers?.canDo(work))) {
    const isPlain = tags.every(({ length }) => length === 1);
    const names = tags.map((list) => list.join(" or ")).join(isPlain ? " and " : ", and ");
    const hint = `No connected agent with the tag${tags.length > 1 ? "s" : ""} ${names} offers ${wanted}.`;
    return new AppError("no_agent", { hint });
  }
  const isAny = work.model === undefined && work.models === undefined;
  return new AppError("no_agent", isAny ? {} : { hint: `No connected agent offers ${wanted}.` });
}

/** Returns what the caller gets when there is no point in waiting for an agent. */
export function noAgentError(ask: Ask, need: Need, hub: Hub, options: RelayOptions): AppError {
  const { peers, clock } = options;
  const blocked = allBlockedError(ask, need, clock.now());
  if (blocked) return blocked;
  if (ask.failure) return ask.failure;
  const { work, request } = ask;
  const { pin } = request;
  const hasAgents = hub.agents.size > 0 || peers?.models([])[Symbol.iterator]().next().done === false;
  if (pin === undefined) return hasAgents ? notOfferedError(ask, hub, peers) : noModelError();
  const own = hub.agents.get(pin);
  if (own && !own.canDo(work) && own.canDo({ ...work, models: undefined }))
    return new AppError("model_not_allowed");
  if (own && need.requirement.tags.length > 0) return notOfferedError(ask, hub, peers);
  const missed = hub.departureOf(pin)?.reason === "pong_missed";
  return new AppError(missed ? "ping_failed" : "conversation_agent_gone");
}

/** Returns the error of an ask for which every agent that could serve it is blocked; undefined if one is not. */
function allBlockedError({ principal, failure }: Ask, need: Need, now: number): AppError | undefined {
  let waitMs = Number.POSITIVE_INFINITY;
  let last: Failure | undefined;
  for (const { agent, model } of need.places.values()) {
    const circuit = agent.circuits?.get(model);
    if (!circuit?.isBlockedAt(now)) return undefined;
    waitMs = Math.min(waitMs, circuit.waitMs(now));
    if (!last || circuit.lastFailure.at >= last.at) last = circuit.lastFailure;
  }
  if (!last) return undefined;
  return failure ? retryLater(failure, waitMs) : blockedError(last, principal, waitMs);
}
