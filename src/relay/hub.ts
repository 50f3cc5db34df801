import { BoundedMap } from "../bounded-map.ts";
import type { CloseReason } from "../protocol/close.ts";
import type { Agent } from "./agent.ts";
import type { Ask } from "./ask.ts";
import { ModelBook } from "./offers/model-book.ts";
import type { Need, Place } from "./routing/need.ts";
import { Needs } from "./routing/needs.ts";
import type { Measured } from "./routing/speed.ts";
import type { Slot } from "./slot.ts";
import type { LentAgent } from "./tickets/lent-agent.ts";
import type { AskRequest, LeaveReason, OfferUpdate, Preference, Transport, Work } from "./types.ts";

export interface Capacity {
  /** How many agents of each protocol are connected. */
  v1: number;
  v2: number;
  /** How many of them want work, busy or not, and the slots of all. */
  available: number;
  slots: number;
}

export interface Departure {
  agent: Agent;
  at: number;
  reason: LeaveReason;
}

/** Asks that no connected agent could serve walk through all departures, so there must not be many. */
const DEPARTURES_MAX = 1_000;

/** The agents connected to this node, the order in which they are chosen, and which left lately. */
export class Hub {
  readonly #agents = new Map<string, Agent>();
  /** The agents by their ids, in the order of their registration. */
  readonly agents: ReadonlyMap<string, Agent> = this.#agents;
  /** The slots of other nodes with asks of this one, by the ids of the slots. */
  readonly lent = new Map<string, LentAgent>();
  /** The agents and the waiting asks, by what the asks need. */
  readonly needs = new Needs();
  /** The models that they offer, and those that were offered before. */
  readonly models = new ModelBook();
  readonly #departures = new BoundedMap<string, Departure>(DEPARTURES_MAX);
  #registrations = 0;

  /** `onChange` is called when an agent has come or left, and after each change of its state. */
  constructor(private readonly onChange?: (agent: Agent, isHere: boolean) => void) {}

  has(agent: Agent): boolean {
    return this.#agents.get(agent.id) === agent;
  }

  /** Returns the agent that has the slot, of this node or of another. */
  agentWith({ agentId, slotId }: { agentId: string; slotId: string }): Agent | undefined {
    return this.lent.get(slotId) ?? this.#agents.get(agentId);
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
    agent.order = ++this.#registrations;
    this.#agents.set(agent.id, agent);
    this.models.add(agent, agent.offer.models, agent.registeredAt);
    this.needs.add(agent, agent.registeredAt);
    this.#departures.delete(agent.id);
    this.onChange?.(agent, true);
    return earlier;
  }

  /** Returns the needs that the agent has served; undefined if it was not connected, or no longer. */
  remove(agent: Agent, reason: LeaveReason, now: number): Need[] | undefined {
    if (!this.has(agent)) return undefined;
    this.#agents.delete(agent.id);
    this.models.remove(agent, agent.offer.models);
    this.#departures.set(agent.id, { agent, at: now, reason });
    this.onChange?.(agent, false);
    return this.needs.remove(agent);
  }

  /** Notes that something came from the agent. Returns whether it was stale until now. */
  heard(agent: Agent, now: number): boolean {
    agent.heard(now);
    if (!agent.isStale) return false;
    agent.isStale = false;
    this.sort(agent, now);
    return true;
  }

  /**
   * Notes that the agent was not heard lately: until it is, it is not chosen. The other needs that it fits notice that
   * when it is next chosen there.
   */
  setStale(place: Place, now: number): void {
    place.agent.isStale = true;
    place.need.sort(place, now);
  }

  /** The agent is sent an ask for the model. Returns whether its upstream has to load the model. */
  use(agent: Agent, model: string, now: number): boolean {
    if (!agent.memory?.use(model, now)) return false;
    for (const { need } of this.needs.placesOf(agent)) need.pace.changed();
    return true;
  }

  occupy(agent: Agent, slotId: string, slot: Slot, now: number): void {
    agent.inUse.set(slotId, slot);
    this.sort(agent, now);
  }

  /** Frees the slot and returns it; undefined when it was free already. */
  release(agent: Agent, slotId: string, now: number): Slot | undefined {
    const slot = agent.inUse.get(slotId);
    if (!slot) return undefined;
    slot.end();
    agent.inUse.delete(slotId);
    agent.freedAt = now;
    this.sort(agent, now);
    return slot;
  }

  releaseAll(agent: Agent, now: number): Slot[] {
    return [...agent.inUse.keys()].flatMap((slotId) => this.release(agent, slotId, now) ?? []);
  }

  /** Returns the asks that are at an agent and whose callers wait for them. */
  asks(): Ask[] {
    const agents = [...this.#agents.values(), ...this.lent.values()];
    const slots = agents.flatMap(({ inUse }) => [...inUse.values()]);
    return slots.flatMap(({ ask }) => ask ?? []);
  }

  /**
   * The agent offers something else from now on, which ends a pause. Returns the needs that it has served before;
   * undefined if nothing changes.
   */
  changeOffer(agent: Agent, offer: OfferUpdate, now: number): Need[] | undefined {
    if (!agent.paused && agent.offersAlready(offer)) return undefined;
    const before = agent.offer.models;
    const needs = this.#reindex(agent, now, () => agent.changeOffer(offer));
    if (offer.models && this.has(agent)) {
      this.models.add(agent, offer.models, now);
      this.models.remove(agent, before);
    }
    this.#setTakesWork(agent, now, () => {
      agent.paused = false;
    });
    return needs;
  }

  /** The agent is chosen by other rules from now on. Returns the needs that it has served before. */
  changePreference(agent: Agent, preference: Preference, now: number): Need[] {
    return this.#reindex(agent, now, () => {
      agent.preference = preference;
    });
  }

  #reindex(agent: Agent, now: number, change: () => void): Need[] {
    if (!this.has(agent)) {
      change();
      return [];
    }
    const before = this.needs.change(agent, now, change);
    this.onChange?.(agent, true);
    return before;
  }

  /** The agent takes no more asks until it changes its offer. */
  pause(agent: Agent, now: number): void {
    this.#setTakesWork(agent, now, () => {
      agent.paused = true;
    });
  }

  /** Returns agents, `countMax` at most, that take asks for as long as they are connected. */
  staying(countMax: number, test: (transport: Transport) => boolean): Agent[] {
    const staying: Agent[] = [];
    for (const agent of this.#agents.values()) {
      if (staying.length >= countMax) break;
      if (agent.leaving === undefined && test(agent.transport)) staying.push(agent);
    }
    return staying;
  }

  /** The agent takes no more asks for good. */
  retire(agent: Agent, reason: CloseReason, now: number): void {
    this.#setTakesWork(agent, now, () => {
      agent.leaving = reason;
    });
  }

  /** The agent gets no asks while its socket is full; `since` is undefined once it has drained. */
  setCongested(agent: Agent, since: number | undefined, now: number): void {
    this.#setTakesWork(agent, now, () => {
      agent.congestedAt = since;
    });
  }

  #setTakesWork(agent: Agent, now: number, change: () => void): void {
    change();
    this.changed(agent, now);
  }

  /** The agent takes work again or no more, or has failed. */
  changed(agent: Agent, now: number): void {
    for (const { need } of this.needs.placesOf(agent)) need.pace.changed();
    this.sort(agent, now);
  }

  /** Puts the agent where it belongs by now. To be called after each change of its state. */
  sort(agent: Agent, now: number): void {
    for (const place of this.needs.placesOf(agent)) place.need.sort(place, now);
    if (this.onChange && this.has(agent)) this.onChange(agent, true);
  }

  /** Notes the agent's speed with the model: where it was slow, it may no longer be. */
  measured(agent: Agent, model: string, measured: Measured, now: number): void {
    const speed = agent.measuredSpeedOf(model);
    speed.note(measured, now);
    for (const place of this.needs.placesOf(agent)) {
      if (place.model !== model) continue;
      place.speed = speed;
      place.need.pace.measured();
      if (place.slowness > 0) place.need.sort(place, now);
    }
  }

  /** Returns the departure of the agent with the id. */
  departureOf(agentId: string): Departure | undefined {
    return this.#departures.get(agentId);
  }

  /** Returns the last departure of an agent that could serve the request. */
  lastDeparture({ pin, tags = [] }: Pick<AskRequest, "pin" | "tags">, work: Work): Departure | undefined {
    let last: Departure | undefined;
    for (const departure of this.#departures.values()) {
      const { agent } = departure;
      const couldDo = pin === undefined ? agent.canDo(work) : agent.id === pin;
      if (couldDo && agent.hasTags(tags)) last = departure;
    }
    return last;
  }

  /** Returns the last departure of an agent that offered the model. */
  lastWith(model: string): Departure | undefined {
    return [...this.#departures.values()].findLast(({ agent }) => agent.hasModel(model));
  }

  /** Forgets the departures before `since`. They are kept in their order. */
  forgetDepartures(since: number): void {
    for (const [id, { at }] of this.#departures) {
      if (at >= since) return;
      this.#departures.delete(id);
    }
  }
}
