import { type Principal, userIdOf } from "../../principal.ts";
import type { Agent } from "../agent.ts";
import type { Ask } from "../ask.ts";
import type { Work } from "../types.ts";
import { Need, type Place, type Requirement } from "./need.ts";

/**
 * Needs without waiting asks are kept, as making one looks at all agents of a model. The least recently used are
 * dropped when there are more than this, or more places than this for each agent: each event of an agent sorts its own.
 */
const IDLE_MAX = 1_024;
const AGENT_PLACES_MAX = 128;
/** The last ones are kept in any case: they may just have been looked up. */
const IDLE_MIN = 16;

/** The key for needs that name no model. */
const ANY_MODEL = "";

interface UserTurn {
  /** How many asks of the user wait, and how many of them are other nodes'. */
  waiting: number;
  tickets: number;
  /** The number of the turn that the user had last, or that was over when the user began to wait. */
  lastTurn: number;
}

/** Finds the agents and the waiting asks that concern each other, so that an event looks at no others. */
export class Needs {
  readonly #needs = new Map<string, Need>();
  readonly #byModel = new Map<string, Set<Need>>();
  /** Those without waiting asks. */
  readonly #idle = new Set<Need>();
  readonly #agents = new Map<string, Set<Agent>>();
  readonly #places = new Map<Agent, Set<Place>>();
  /** The needs of the asks that wait. */
  readonly #waiting = new Map<Ask, Need>();
  readonly #users = new Map<string | null, UserTurn>();
  #placeCount = 0;
  #tickets = 0;
  #turns = 0;
  /** How often a need was looked up. */
  #uses = 0;

  /** How many asks wait, with those of other nodes. */
  get size(): number {
    return this.#waiting.size;
  }

  /** How many asks of this node wait. */
  get ownSize(): number {
    return this.#waiting.size - this.#tickets;
  }

  /** How many asks of the principal wait that are this node's. */
  ownSizeOf(principal: Principal): number {
    const user = this.#users.get(userIdOf(principal));
    return user ? user.waiting - user.tickets : 0;
  }

  /** Returns the need, with the agents that fit. */
  get(requirement: Requirement, now: number): Need {
    const key = keyOf(requirement);
    const known = this.#needs.get(key);
    if (known) {
      known.usedAt = ++this.#uses;
      return known;
    }
    const need = new Need(key, { ...requirement, work: withoutContent(requirement.work) });
    need.usedAt = ++this.#uses;
    this.#needs.set(key, need);
    const { model = ANY_MODEL } = requirement.work;
    this.#byModel.getOrInsertComputed(model, () => new Set()).add(need);
    for (const agent of this.#agents.get(model) ?? []) this.#addTo(need, agent);
    for (const place of need.places.values()) need.sort(place, now);
    this.#setIdle(need);
    return need;
  }

  #setIdle(need: Need): void {
    this.#idle.add(need);
    this.#dropIdle();
  }

  /** The agent is connected. */
  add(agent: Agent, now: number): void {
    for (const model of modelsOf(agent)) {
      this.#agents.getOrInsertComputed(model, () => new Set()).add(agent);
      for (const need of this.#byModel.get(model) ?? []) this.#addTo(need, agent);
    }
    for (const place of this.placesOf(agent)) place.need.sort(place, now);
  }

  /** Changes what the agent offers, or how it is chosen. Returns the needs that it has served before. */
  change(agent: Agent, now: number, change: () => void): Need[] {
    const models = modelsOf(agent);
    const needs = this.#leave(agent);
    change();
    for (const model of models)
      if (model !== ANY_MODEL && !agent.hasModel(model)) this.#removeFrom(model, agent);
    this.add(agent, now);
    return needs;
  }

  #addTo(need: Need, agent: Agent): void {
    if (!need.fits(agent)) return;
    this.#places.getOrInsertComputed(agent, () => new Set()).add(need.add(agent));
    this.#placeCount++;
  }

  /** Returns the agents that offer the model; all if none is given. */
  agentsWith(model: string = ANY_MODEL): Iterable<Agent> {
    return this.#agents.get(model) ?? [];
  }

  /** Returns the places of the agent in the needs that it fits. */
  placesOf(agent: Agent): ReadonlySet<Place> {
    return this.#places.get(agent) ?? NO_PLACES;
  }

  /** Returns the needs that the agent fits. */
  of(agent: Agent): Need[] {
    const places = this.#places.get(agent);
    return places ? Array.from(places, ({ need }) => need) : [];
  }

  /** The agent leaves. Returns the needs that it has served. */
  remove(agent: Agent): Need[] {
    for (const model of modelsOf(agent)) this.#removeFrom(model, agent);
    return this.#leave(agent);
  }

  #leave(agent: Agent): Need[] {
    const places = this.#places.get(agent);
    if (!places) return [];
    this.#places.delete(agent);
    this.#placeCount -= places.size;
    return Array.from(places, (place) => {
      place.need.remove(place);
      return place.need;
    });
  }

  #removeFrom(model: string, agent: Agent): void {
    const agents = this.#agents.get(model);
    agents?.delete(agent);
    if (agents?.size === 0) this.#agents.delete(model);
  }

  /** The ask waits from now on; `isAgain` before the younger ones of its user, as its turn came to nothing. */
  push(ask: Ask, need: Need, isAgain: boolean): void {
    if (ask.isTicket && !isAgain) need.waiting.pushByAge(ask);
    else need.waiting.push(ask, isAgain);
    this.#waiting.set(ask, need);
    if (!ask.isUntried) need.tried.add(ask);
    this.#idle.delete(need);
    const start = () => ({ waiting: 0, tickets: 0, lastTurn: this.#turns });
    const turn = this.#users.getOrInsertComputed(userIdOf(ask.principal), start);
    turn.waiting++;
    if (!ask.isTicket) return;
    turn.tickets++;
    this.#tickets++;
  }

  /** The ask waits no more. Harmless if it does not wait. */
  leave(ask: Ask): void {
    const need = this.#waiting.get(ask);
    if (need?.waiting.remove(ask)) this.#left(ask, need);
  }

  /** Returns the need for which the ask waits. */
  ofAsk(ask: Ask): Need | undefined {
    return this.#waiting.get(ask);
  }

  /** Returns about how many asks have their turn before this one at the agents that it may go to. */
  asksBefore(ask: Ask): number {
    const need = this.#waiting.get(ask);
    if (!need) return 0;
    const nth = need.waiting.placeOf(ask);
    let count = need.waiting.before(ask);
    for (const other of this.rivalsOf(need)) count += other.waiting.beforeOther(ask, nth);
    return count;
  }

  /** Returns the other needs for which asks wait and which share an agent with this one. */
  rivalsOf(need: Need): Need[] {
    return this.withWaiting().filter((other) => other !== need && sharesAgent(need, other));
  }

  /** Takes out the ask that fits and whose turn it is; with `user`, only theirs are looked at. */
  take(need: Need, fits: (ask: Ask) => boolean, user?: { id: string }): Ask | undefined {
    const ask = need.waiting.take(fits, user);
    if (ask) this.#taken(ask, need);
    return ask;
  }

  /** Takes out this ask, and ends its user's turn. Harmless if it does not wait. */
  takeOut(ask: Ask): void {
    const need = this.#waiting.get(ask);
    if (need?.waiting.takeOut(ask)) this.#taken(ask, need);
  }

  #taken(ask: Ask, need: Need): void {
    const turn = this.#users.get(userIdOf(ask.principal));
    if (turn) turn.lastTurn = ++this.#turns;
    this.#left(ask, need);
  }

  /** Returns places for an agent that is not registered, in the needs that it fits and for which asks wait. */
  placesFor(agent: Agent): Place[] {
    const needs = modelsOf(agent).flatMap((model) => [...(this.#byModel.get(model) ?? [])]);
    const fitting = needs.filter((need) => need.waiting.size > 0 && need.fits(agent));
    return fitting.map((need) => need.placeFor(agent));
  }

  /** Returns for how many turns the user whose turn it is in the need has had none. */
  turnsWaited({ waiting: { first } }: Need): number {
    const turn = first && this.#users.get(userIdOf(first.principal));
    return turn ? this.#turns - turn.lastTurn + 1 : 0;
  }

  /** Returns the asks of this node that wait. */
  ownWaiting(): Ask[] {
    const asks = [...this.#waiting.keys()];
    return this.#tickets > 0 ? asks.filter(({ isTicket }) => !isTicket) : asks;
  }

  /** Returns the needs for which asks wait. */
  withWaiting(): Need[] {
    return [...this.#needs.values()].filter(({ waiting }) => waiting.size > 0);
  }

  #left(ask: Ask, need: Need): void {
    this.#waiting.delete(ask);
    need.tried.delete(ask);
    const user = userIdOf(ask.principal);
    const turn = this.#users.get(user);
    if (ask.isTicket) this.#tickets--;
    if (turn && ask.isTicket) turn.tickets--;
    if (turn && --turn.waiting === 0) this.#users.delete(user);
    if (need.waiting.size > 0) return;
    need.stopLooking();
    if (need.requirement.isPreferred) this.#drop(need);
    else this.#setIdle(need);
  }

  /** Drops the least recently used of the needs without waiting asks, if there are too many. */
  #dropIdle(): void {
    const placesMax = AGENT_PLACES_MAX * (this.#agents.get(ANY_MODEL)?.size ?? 0);
    while (this.#idle.size > (this.#placeCount > placesMax ? IDLE_MIN : IDLE_MAX)) {
      let oldest: Need | undefined;
      for (const need of this.#idle) if (!oldest || need.usedAt < oldest.usedAt) oldest = need;
      if (!oldest) return;
      this.#drop(oldest);
    }
  }

  #drop(need: Need): void {
    this.#idle.delete(need);
    this.#needs.delete(need.key);
    const { model = ANY_MODEL } = need.requirement.work;
    const needs = this.#byModel.get(model);
    needs?.delete(need);
    if (needs?.size === 0) this.#byModel.delete(model);
    for (const [agent, place] of need.places) this.#places.get(agent)?.delete(place);
    this.#placeCount -= need.places.size;
  }
}

function sharesAgent(one: Need, other: Need): boolean {
  const [few, many] = one.places.size < other.places.size ? [one, other] : [other, one];
  for (const agent of few.places.keys()) if (many.places.has(agent)) return true;
  return false;
}

const NO_PLACES: ReadonlySet<Place> = new Set();

const modelsOf = (agent: Agent): string[] => [ANY_MODEL, ...agent.offer.models.map(({ id }) => id)];

function keyOf({ work, tags, pin, isPreferred }: Requirement): string {
  const { model = "\n", models, v1, requests } = work;
  // None of the parts has a line break, and each kind of part begins with another character.
  let key = v1 ? `${model}\nv1` : model;
  for (const { endpoint } of requests ?? []) key += `\n${endpoint}`;
  for (const list of tags) key += `\n#${list.join()}`;
  if (pin !== undefined) key += `\n${isPreferred ? "~" : "="}${pin}`;
  return models ? `${key}\n${JSON.stringify(models)}` : key;
}

const NO_QUESTION = { message_id: "", conversation_id: "", parent_id: "", content: "" };

/** A need outlives its asks, and must not keep their content. */
function withoutContent({ model, models, v1, requests }: Work): Work {
  return {
    ...{ model, models, v1: v1 && NO_QUESTION },
    requests: requests?.map(({ endpoint, stream }) => ({ endpoint, stream, body: () => "" })),
  };
}
