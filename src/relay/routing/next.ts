import type { Agent } from "../agent.ts";
import type { Ask } from "../ask.ts";
import { chooseFor, eligibleFor, mayGet } from "../choice.ts";
import type { Hub } from "../hub.ts";
import type { RelayOptions } from "../options.ts";
import type { Need, Place } from "./need.ts";
import type { Needs } from "./needs.ts";
import { TURNS } from "./priority.ts";
import { maySwap } from "./swap.ts";

/** A waiting ask whose turn it is, and the place of the agent in the need for which it waited. */
export interface Next {
  ask: Ask;
  place: Place;
}

/**
 * Takes out the waiting ask that an agent with room gets next; undefined if none may go to it. The asks of the
 * agent's owner come first, then those for a model that it has in memory, until others have waited long enough.
 * Among these the ask whose user has had no turn for the longest, in proportion to the turns of its class.
 */
export function takeNextFor(agent: Agent, needs: Needs, patienceMs: number, now: number): Next | undefined {
  const swap = { needs, now, patienceMs };
  const places = [...needs.placesOf(agent)].filter((place) => mayTake(place, swap));
  return takeFrom(places, agent, needs, ({ need }) => eligibleAt(agent, need, now));
}

/** Does the same as `takeNextFor` for the agent of a lent slot, which no ask of another node gets. */
export function takeNextForLent(agent: Agent, needs: Needs): Next | undefined {
  return takeFrom(needs.placesFor(agent), agent, needs, () => (ask) => !ask.isTicket && mayHave(ask, agent));
}

/** Whether the earlier tries of the ask allow the agent of a lent slot. */
export function mayHave(ask: Ask, { id }: Agent): boolean {
  return !ask.hasFailedAt(id) || ask.isRepeatableAt(id);
}

function takeFrom(
  places: Place[],
  agent: Agent,
  needs: Needs,
  testOf: (place: Place) => (ask: Ask) => boolean,
): Next | undefined {
  const { ownerId: id } = agent.preference;
  if (id !== undefined)
    for (const place of places) {
      const { need } = place;
      const ask = need.waiting.has(id) ? needs.take(need, testOf(place), { id }) : undefined;
      if (ask) return { ask, place };
    }
  if (places.length > 1) sort(places, needs);
  for (const place of places) {
    const ask = needs.take(place.need, testOf(place));
    if (ask) return { ask, place };
  }
  return undefined;
}

function mayTake(place: Place, swap: Parameters<typeof maySwap>[2]): boolean {
  const { need, heap } = place;
  const { first } = need.waiting;
  if (!first || !heap) return false;
  const waitedMs = first.waitedMs(swap.now);
  return !need.pace.isTooSlow(place, waitedMs, swap.now) && maySwap(place, waitedMs, swap);
}

const eligibleAt = (agent: Agent, need: Need, now: number) => (ask: Ask) =>
  eligibleFor(ask, need, now)(agent);

/**
 * Sorts the places by the turns of their users, and those of one user by the age of their asks. An ask for which a
 * model is to be loaded comes first if it may.
 */
function sort(places: Place[], needs: Needs): void {
  const weightOf = ({ need }: Place) =>
    TURNS[need.waiting.first?.priority ?? "normal"] * needs.turnsWaited(need);
  const orderOf = ({ need }: Place) => need.waiting.first?.order ?? 0;
  places.sort(
    (one, other) =>
      Number(other.isCold) - Number(one.isCold) ||
      weightOf(other) - weightOf(one) ||
      orderOf(one) - orderOf(other),
  );
}

/**
 * Returns the waiting ask that is sent next, with the place of its agent; undefined if none may be sent, and "later"
 * if there were too many stale agents to tell.
 */
export function nextOf(need: Need, hub: Hub, options: RelayOptions, now: number): Next | "later" | undefined {
  for (const ask of candidatesOf(need)) {
    const place = chooseFor(need, hub, mayGet(ask, need, hub, options, now), now);
    if (place === "later") return place;
    if (place) return { ask, place };
  }
  return undefined;
}

/**
 * Returns the asks of which one may be sent next, in order. What may not go to any agent because of its earlier tries
 * holds up nobody. The untried ones may go to the same agents, so the first of them stands for all.
 */
function candidatesOf({ waiting }: Need): Ask[] {
  const { first } = waiting;
  if (!first || first.isUntried) return first ? [first] : [];
  const asks = waiting.items();
  const untried = asks.find((ask) => ask.isUntried);
  return asks.filter((ask) => ask === untried || !ask.isUntried);
}

/** Whether an ask waits that may go to the agent of these places. */
export function hasAskFor(places: Iterable<Place>, now: number): boolean {
  for (const { need, agent, model } of places) {
    const { first } = need.waiting;
    if (!first || agent.circuits?.get(model)?.isBlockedAt(now)) continue;
    const asks = first.isUntried ? [first] : need.waiting.items();
    if (asks.some((ask) => eligibleFor(ask, need, now)(agent))) return true;
  }
  return false;
}
