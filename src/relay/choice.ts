import { AppError } from "../errors.ts";
import type { Agent } from "./agent.ts";
import type { Ask } from "./ask.ts";
import type { Hub } from "./hub.ts";

/**
 * Which agents may serve it: of those that can do the work never one that had it while another is
 * connected, nor one that refused it.
 */
export function eligibleFor(ask: Ask, hub: Hub): (agent: Agent) => boolean {
  const { pin, work } = ask.request;
  if (pin !== undefined) return (agent) => agent.id === pin && agent.canDo(work);
  if (ask.tried.size === 0) return (agent) => agent.canDo(work);
  const isUntried = (agent: Agent) => agent.canDo(work) && !ask.tried.has(agent.id);
  return hub.some(isUntried) ? isUntried : (agent) => ask.repeatable && agent.canDo(work);
}

/**
 * An eligible agent with room that passes the test and is not asleep: the conversation's own, else the lowest load
 * first, then the least recently used.
 */
export function chooseFor(ask: Ask, hub: Hub, test: (agent: Agent) => boolean): Agent | undefined {
  return chooseWith(ask, hub, test, (mayTake) => hub.choose(mayTake));
}

/** The same of those that are asleep, for one to be woken. */
export function chooseAsleepFor(ask: Ask, hub: Hub, test: (agent: Agent) => boolean): Agent | undefined {
  return chooseWith(ask, hub, test, (mayTake) => hub.chooseAsleep(mayTake));
}

function chooseWith(
  ask: Ask,
  hub: Hub,
  test: (agent: Agent) => boolean,
  choose: (mayTake: (agent: Agent) => boolean) => Agent | undefined,
): Agent | undefined {
  const isEligible = eligibleFor(ask, hub);
  const mayTake = (agent: Agent) => isEligible(agent) && test(agent);
  const { pin, prefer = pin } = ask.request;
  const own = prefer === undefined ? undefined : hub.get(prefer);
  if (own?.hasRoom && mayTake(own)) return own;
  return pin === undefined ? choose(mayTake) : undefined;
}

/**
 * How long it may be until an agent is connected that could serve it: infinite when one is, as the limits
 * on waiting for room are others; 0 or less without hope.
 */
export function hopeMs(ask: Ask, hub: Hub, graceMs: number, now: number): number {
  if (hub.some(eligibleFor(ask, hub))) return Number.POSITIVE_INFINITY;
  if (!ask.repeatable) return 0;
  const departure = hub.departure(ask.request);
  return departure ? departure.at + graceMs - now : 0;
}

/** What its caller is told when there is no hope. */
export function noAgentError(ask: Ask, hub: Hub): AppError {
  if (ask.failure) return ask.failure;
  const { pin, work } = ask.request;
  if (pin === undefined) {
    const wanted = work.model === undefined ? "a model that you may use" : "the model asked for";
    const isAny = work.model === undefined && work.models === undefined;
    const hint = isAny ? {} : { hint: `No connected agent offers ${wanted}.` };
    return new AppError("no_agent", hub.size === 0 ? {} : hint);
  }
  const own = hub.get(pin);
  if (own && !own.canDo(work) && own.canDo({ ...work, models: undefined }))
    return new AppError("model_not_allowed");
  const missed = hub.departure(ask.request)?.reason === "pong_missed";
  return new AppError(missed ? "ping_failed" : "conversation_agent_gone");
}
