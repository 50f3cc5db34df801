import type { Place } from "./need.ts";
import type { Needs } from "./needs.ts";

/** An ask for a model that no agent has in memory waits for this time at most until an agent swaps models for it. */
const SWAP_MS_MAX = 10_000;

/** Until then after its last ask, an agent is not idle: a caller who asks again at once finds the model. */
const IDLE_AFTER_MS = 500;

/**
 * Whether an agent may be sent an ask for a model that its upstream would have to load, by which another model may
 * leave the memory. An idle agent may, if no ask waits for what it has in memory; though if another agent has the
 * model in memory, the ask first waits for that one, for `patienceMs`. Any other agent may if no agent has the model
 * in memory, the ask has waited for long, and the agent has not swapped just now.
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
  return !isElsewhere && waitedMs >= SWAP_MS_MAX && memory.keptMs(now) <= 0;
}

/** Whether an ask waits for a model that the agent has in memory. */
function isWaitedFor(agent: Place["agent"], needs: Needs): boolean {
  for (const { need, model } of needs.placesOf(agent))
    if (need.waiting.size > 0 && agent.memory?.has(model) === true) return true;
  return false;
}
