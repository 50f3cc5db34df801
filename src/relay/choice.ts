import { AppError } from "../errors.ts";
import type { Agent } from "./agent.ts";
import type { Ask } from "./ask.ts";
import type { Hub } from "./hub.ts";

/** Which agents may serve it: never one that had it while another is connected, nor one that refused it. */
export function eligibleFor(ask: Ask, hub: Hub): (agent: Agent) => boolean {
  const { pin } = ask.request;
  if (pin !== undefined) return (agent) => agent.id === pin;
  if (ask.tried.size === 0) return () => true;
  const isUntried = (agent: Agent) => !ask.tried.has(agent.id);
  return hub.some(isUntried) ? isUntried : () => ask.repeatable;
}

/** An eligible agent with room that passes the test: the lowest load first, then the least recently used. */
export function chooseFor(ask: Ask, hub: Hub, test: (agent: Agent) => boolean): Agent | undefined {
  const { pin } = ask.request;
  if (pin === undefined) {
    const isEligible = eligibleFor(ask, hub);
    return hub.choose((agent) => isEligible(agent) && test(agent));
  }
  const agent = hub.get(pin);
  return agent?.hasRoom && test(agent) ? agent : undefined;
}

/**
 * How long it may be until an agent is connected that could serve it: infinite when one is, as the limits
 * on waiting for room are others; 0 or less without hope.
 */
export function hopeMs(ask: Ask, hub: Hub, graceMs: number, now: number): number {
  if (hub.some(eligibleFor(ask, hub))) return Number.POSITIVE_INFINITY;
  if (!ask.repeatable) return 0;
  const departure = hub.departure(ask.request.pin);
  return departure ? departure.at + graceMs - now : 0;
}

/** What its caller is told when there is no hope. */
export function noAgentError(ask: Ask, hub: Hub): AppError {
  if (ask.failure) return ask.failure;
  const { pin } = ask.request;
  if (pin === undefined) return new AppError("no_agent");
  const missed = hub.departure(pin)?.reason === "pong_missed";
  return new AppError(missed ? "ping_failed" : "conversation_agent_gone");
}
