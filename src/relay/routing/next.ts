import type { Agent } from "../agent.ts";
import type { Ask } from "../ask.ts";
import { eligibleFor } from "../choice.ts";
import type { Need, Place } from "./need.ts";
import type { Needs } from "./needs.ts";
import { TURNS } from "./priority.ts";

/** An agent that has loaded a model goes on with it for this time, if asks for it wait. */
const LOADED_MS_MIN = 10_000;

/** A waiting ask whose turn it is, and the need for which it waited. */
interface Next {
  ask: Ask;
  need: Need;
}

/**
 * Takes out the waiting ask that an agent with room gets next; undefined if none may go to it. The asks of the
 * agent's owner come first, then those for a model that it has in memory, until others have waited long enough.
 * Among these the ask whose user has had no turn for the longest, in proportion to the turns of its class.
 */
export function takeNextFor(agent: Agent, needs: Needs, now: number): Next | undefined {
  const places = [...needs.placesOf(agent)].filter((place) => mayTake(place, now));
  const { ownerId: id } = agent.preference;
  if (id !== undefined)
    for (const { need } of places) {
      const ask = need.waiting.has(id) ? needs.take(need, eligibleAt(agent, need, now), { id }) : undefined;
      if (ask) return { ask, need };
    }
  if (places.length > 1) sort(places, needs, now);
  for (const { need } of places) {
    const ask = needs.take(need, eligibleAt(agent, need, now));
    if (ask) return { ask, need };
  }
  return undefined;
}

function mayTake(place: Place, now: number): boolean {
  const { need, agent, model } = place;
  const { first } = need.waiting;
  if (!first || agent.circuits?.get(model)?.isBlockedAt(now)) return false;
  return !need.pace.isTooSlow(place, first.waitedMs(now), now);
}

const eligibleAt = (agent: Agent, need: Need, now: number) => (ask: Ask) =>
  eligibleFor(ask, need, now)(agent);

function sort(places: Place[], needs: Needs, now: number): void {
  const mayWait = new Map(places.map((place) => [place, isCold(place) && !hasWaitedEnough(place, now)]));
  const weightOf = ({ need }: Place) =>
    TURNS[need.waiting.first?.priority ?? "normal"] * needs.turnsWaited(need);
  places.sort(
    (one, other) => Number(mayWait.get(one)) - Number(mayWait.get(other)) || weightOf(other) - weightOf(one),
  );
}

const isCold = ({ agent, model }: Place): boolean => agent.isLoaded(model) === false;

function hasWaitedEnough({ agent, need }: Place, now: number): boolean {
  const waitedMs = need.waiting.first?.waitedMs(now) ?? 0;
  return Math.min(waitedMs, now - agent.loadedAt) >= LOADED_MS_MIN;
}
