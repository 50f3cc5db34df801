import type { Place } from "./need.ts";
import type { Needs } from "./needs.ts";

/** An ask for a model that no agent has in memory waits for this time at most until an agent swaps models for it. */
const SWAP_MS_MAX = 10_000;

/** It is unfair if an ask waits for this many times as long as those for another model. */
const UNFAIR_FROM = 3;

/** Until then after its last ask, an agent is not idle: a caller who asks again at once finds the model. */
const IDLE_AFTER_MS = 500;

/**
 * Whether an agent may be sent an ask for a model that its upstream would have to load, by which another model may
 * leave the memory. An idle agent may, if no ask waits for what it has in memory; though if another agent has the
 * model in memory, the ask first waits for that one, for `patienceMs`. Any other agent may if the ask has waited for
 * long, and the agent has not swapped just now; though if another agent has the model in memory, only if the asks for
 * what this one has in memory wait for much shorter. Otherwise two busy agents would swap their models.
 */
export function maySwap(
  { agent, model, need }: Place,
  waitedMs: number,
  { needs, now, patienceMs }: { needs: Needs; now: number; patienceMs: number },
): boolean {
  const { memory } = agent;
  if (memory?.has(model) !== false) return true;
  const isElsewhere = need.pace.hasLoaded(now);
  const isIdle = agent.inUse.size === 0 && now - agent.freedAt >= IDLE_AFTER_MS;
  if (isIdle && !isWaitedFor(agent, needs)) return !isElsewhere || waitedMs >= patienceMs;
  if (waitedMs < SWAP_MS_MAX || memory.keptMs(now) > 0) return false;
  return !isElsewhere || waitedMs >= UNFAIR_FROM * longestWaitMs(agent, needs, now);
}

/** Whether an ask waits for a model that the agent has in memory. */
function isWaitedFor(agent: Place["agent"], needs: Needs): boolean {
  for (const { need, model } of needs.placesOf(agent))
    if (need.waiting.size > 0 && agent.isLoaded(model) === true) return true;
  return false;
}

/** Returns how long the ask has waited that has waited longest for a model that the agent has in memory. */
function longestWaitMs(agent: Place["agent"], needs: Needs, now: number): number {
  let longest = 0;
  for (const { need, model } of needs.placesOf(agent))
    if (agent.isLoaded(model) === true)
      for (const ask of need.waiting.firsts()) longest = Math.max(longest, ask.waitedMs(now));
  return longest;
}
