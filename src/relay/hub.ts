import { BoundedMap } from "../bounded-map.ts";
import { type Agent, AgentList } from "./agent.ts";
import type { Ask } from "./ask.ts";
import { ModelBook } from "./model-book.ts";
import type { Slot } from "./slot.ts";
import type { LeaveReason, OfferUpdate, Work } from "./types.ts";

export interface Capacity {
  /** How many agents of each protocol are connected. */
  v1: number;
  v2: number;
  /** How many of them want work, busy or not, and the slots of all. */
  available: number;
  slots: number;
}

interface Departure {
  agent: Agent;
  at: number;
  reason: LeaveReason;
}

/** Asks that no connected agent could serve walk through all departures, so there must not be many. */
const DEPARTURES_MAX = 1_000;

/** The agents connected to this node, which of them have room, and which left lately. */
export class Hub {
  readonly #agents = new Map<string, Agent>();
  /** The agents by their ids, in the order of their registration. */
  readonly agents: ReadonlyMap<string, Agent> = this.#agents;
  /**
   * Agents with room, least recently used first, so that the usual choice is the first one looked at even
   * among ten thousand. Agents that were never used come before all others.
   */
  readonly #unused = new AgentList();
  /** Used before they went stale, and so longer ago than the other used ones. */
  readonly #revived = new AgentList();
  readonly #used = new AgentList();
  /** Agents with room that were not heard lately: a choice does not look at them until they are heard. */
  readonly #stale = new AgentList();
  /** The models that they offer, and those that were offered before. */
  readonly models = new ModelBook();
  readonly #departures = new BoundedMap<string, Departure>(DEPARTURES_MAX);

  has(agent: Agent): boolean {
    return this.#agents.get(agent.id) === agent;
  }

  capacity(): Capacity {
    const capacity = { v1: 0, v2: 0, available: 0, slots: 0 };
    for (const { profile, offer, takesWork } of this.#agents.values()) {
      capacity[profile.protocol]++;
      capacity.slots += offer.slots;
      if (takesWork && offer.models.length > 0) capacity.available++;
    }
    return capacity;
  }

  some(test: (agent: Agent) => boolean): boolean {
    for (const agent of this.#agents.values()) if (test(agent)) return true;
    return false;
  }

  /** Returns the agent that had the id before, if it left lately. */
  add(agent: Agent): Agent | undefined {
    const earlier = this.#departures.get(agent.id)?.agent;
    this.#agents.set(agent.id, agent);
    this.models.add(agent.id, agent.offer.models, agent.registeredAt);
    AgentList.move(agent, this.#unused);
    this.#departures.delete(agent.id);
    return earlier;
  }

  /** Returns false if the agent was not connected, or no longer. */
  remove(agent: Agent, reason: LeaveReason, now: number): boolean {
    if (!this.has(agent)) return false;
    this.#agents.delete(agent.id);
    this.models.remove(agent.offer.models);
    AgentList.move(agent, undefined);
    this.#departures.set(agent.id, { agent, at: now, reason });
    return true;
  }

  /** Notes that something came from the agent. */
  heard(agent: Agent, now: number): void {
    agent.heard(now);
    if (agent.list === this.#stale)
      AgentList.move(agent, agent.sentAt === undefined ? this.#unused : this.#revived);
  }

  /** Notes that the agent was not heard lately: until it is, it is not chosen. */
  setStale(agent: Agent): void {
    if (agent.list) AgentList.move(agent, this.#stale);
  }

  /** Returns the agent that passes the test and has been stale the longest. */
  chooseStale(test: (agent: Agent) => boolean): Agent | undefined {
    return this.#stale.find(test);
  }

  /**
   * Returns one of the agents that have room, are not stale and pass the test: the one with the lowest load,
   * then the least recently used.
   */
  choose(test: (agent: Agent) => boolean): Agent | undefined {
    let best: Agent | undefined;
    const isIdle = (agent: Agent) => {
      if ((best && agent.load >= best.load) || !test(agent)) return false;
      best = agent;
      return agent.load === 0;
    };
    return this.#unused.find(isIdle) ?? this.#revived.find(isIdle) ?? this.#used.find(isIdle) ?? best;
  }

  occupy(agent: Agent, slotId: string, slot: Slot): void {
    agent.inUse.set(slotId, slot);
    AgentList.move(agent, undefined);
    this.#sort(agent);
  }

  /** Frees the slot and returns it; undefined when it was free already. */
  release(agent: Agent, slotId: string): Slot | undefined {
    const slot = agent.inUse.get(slotId);
    if (!slot) return undefined;
    slot.end();
    agent.inUse.delete(slotId);
    this.#sort(agent);
    return slot;
  }

  releaseAll(agent: Agent): Slot[] {
    return [...agent.inUse.keys()].flatMap((slotId) => this.release(agent, slotId) ?? []);
  }

  /** Returns the asks that are at an agent and whose callers wait for them. */
  asks(): Ask[] {
    const slots = [...this.#agents.values()].flatMap(({ inUse }) => [...inUse.values()]);
    return slots.flatMap(({ ask }) => ask ?? []);
  }

  /** The agent offers something else from now on, which ends a pause. Returns false if nothing changes. */
  changeOffer(agent: Agent, offer: OfferUpdate, now: number): boolean {
    if (!agent.paused && agent.offersAlready(offer)) return false;
    const before = agent.offer.models;
    agent.changeOffer(offer);
    if (offer.models && this.has(agent)) {
      this.models.add(agent.id, offer.models, now);
      this.models.remove(before);
    }
    agent.paused = false;
    this.#sort(agent);
    return true;
  }

  /** The agent takes no more asks until it changes its offer. */
  pause(agent: Agent): void {
    agent.paused = true;
    this.#sort(agent);
  }

  /** The agent takes no more asks for good. */
  retire(agent: Agent): void {
    agent.leaving = true;
    this.#sort(agent);
  }

  /** The agent gets no asks while its socket is full; `since` is undefined once it has drained. */
  setCongested(agent: Agent, since: number | undefined): void {
    agent.congestedAt = since;
    this.#sort(agent);
  }

  /** Returns the departure of the agent with the id `pin`, or the last of an agent that could do the work. */
  departure({ pin, work }: { pin?: string | undefined; work: Work }): Departure | undefined {
    if (pin !== undefined) return this.#departures.get(pin);
    let last: Departure | undefined;
    for (const departure of this.#departures.values()) if (departure.agent.canDo(work)) last = departure;
    return last;
  }

  /** Forgets the departures before `since`. They are kept in their order. */
  forgetDepartures(since: number): void {
    for (const [id, { at }] of this.#departures) {
      if (at >= since) return;
      this.#departures.delete(id);
    }
  }

  /** Puts an agent with room into a list, unless it is in one; takes one without room out of its list. */
  #sort(agent: Agent): void {
    if (!agent.hasRoom || !this.has(agent)) AgentList.move(agent, undefined);
    else if (!agent.list) AgentList.move(agent, this.#used);
  }
}
