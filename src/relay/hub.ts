import { BoundedMap } from "../bounded-map.ts";
import type { CloseReason } from "../protocol/close.ts";
import type { Agent, Offer, Slot } from "./agent.ts";
import { AgentList } from "./agent-list.ts";
import type { Work } from "./ports.ts";

/** Why an agent is no longer here; undefined when it left by itself. */
export type LeaveReason = CloseReason | undefined;

/** How many agents of each protocol are here, how many of them want work, busy or not, and all their slots. */
export interface Capacity {
  v1: number;
  v2: number;
  available: number;
  slots: number;
}

interface Departure {
  agent: Agent;
  at: number;
  reason: LeaveReason;
}

interface AgentChange {
  offer?: Offer;
  paused?: boolean;
  leaving?: boolean;
  congestedAt?: number | undefined;
}

/** They are walked through for asks without hope, so there must not be many. */
const DEPARTURES_MAX = 1_000;

/** The agents connected to this node, which of them have room, and who left lately. */
export class Hub {
  readonly #agents = new Map<string, Agent>();
  /**
   * Agents with room, least recently used first, so that the usual choice is the first one looked at even
   * among ten thousand. Agents that were never used come before all others.
   */
  readonly #unused = new AgentList();
  /** Used before they fell asleep, and so longer ago than those that did not. */
  readonly #woken = new AgentList();
  readonly #used = new AgentList();
  /** With room, but not heard lately: they are not walked past again until they are heard. */
  readonly #asleep = new AgentList();
  readonly #departures = new BoundedMap<string, Departure>(DEPARTURES_MAX);

  get size(): number {
    return this.#agents.size;
  }

  get(id: string): Agent | undefined {
    return this.#agents.get(id);
  }

  has(agent: Agent): boolean {
    return this.#agents.get(agent.id) === agent;
  }

  /** In the order of their registration. */
  all(): IterableIterator<Agent> {
    return this.#agents.values();
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

  add(agent: Agent): void {
    this.#agents.set(agent.id, agent);
    AgentList.move(agent, this.#unused);
    this.#departures.delete(agent.id);
  }

  /** False when it was not here (any more). */
  remove(agent: Agent, reason: LeaveReason, now: number): boolean {
    if (!this.has(agent)) return false;
    this.#agents.delete(agent.id);
    AgentList.move(agent, undefined);
    this.#departures.set(agent.id, { agent, at: now, reason });
    return true;
  }

  /** It has told something of itself. */
  heard(agent: Agent, now: number): void {
    agent.heardAt = now;
    if (agent.list === this.#asleep)
      AgentList.move(agent, agent.sentAt === undefined ? this.#unused : this.#woken);
  }

  /** It was not heard lately: until it is, it is not among those that are chosen from. */
  fellAsleep(agent: Agent): void {
    if (agent.list) AgentList.move(agent, this.#asleep);
  }

  /** The agent that passes the test and is asleep the longest. */
  chooseAsleep(test: (agent: Agent) => boolean): Agent | undefined {
    return this.#asleep.find(test);
  }

  /**
   * Of the agents that have room, are not asleep and pass the test: the one with the lowest load, then the least
   * recently used.
   */
  choose(test: (agent: Agent) => boolean): Agent | undefined {
    let best: Agent | undefined;
    const isIdle = (agent: Agent) => {
      if ((best && agent.load >= best.load) || !test(agent)) return false;
      best = agent;
      return agent.load === 0;
    };
    return this.#unused.find(isIdle) ?? this.#woken.find(isIdle) ?? this.#used.find(isIdle) ?? best;
  }

  occupy(agent: Agent, slotId: string, slot: Slot): void {
    agent.inUse.set(slotId, slot);
    AgentList.move(agent, undefined);
    this.#sort(agent);
  }

  /** Frees the slot and gives what was in it; undefined when it was free already. */
  release(agent: Agent, slotId: string): Slot | undefined {
    const slot = agent.inUse.get(slotId);
    if (!slot) return undefined;
    slot.stopLimit();
    agent.inUse.delete(slotId);
    this.#sort(agent);
    return slot;
  }

  /** What the agent offers has changed, or whether it takes more work. */
  change(agent: Agent, change: AgentChange): void {
    Object.assign(agent, change);
    this.#sort(agent);
  }

  /** Of the agents that left and could do this, the one with the id `pin`, or the last one. */
  departure({ pin, work }: { pin?: string | undefined; work: Work }): Departure | undefined {
    if (pin !== undefined) return this.#departures.get(pin);
    let last: Departure | undefined;
    for (const departure of this.#departures.values()) if (departure.agent.canDo(work)) last = departure;
    return last;
  }

  /** Forgets the agents that left before `since`. They are kept in the order of their leaving. */
  forgetDepartures(since: number): void {
    for (const [id, { at }] of this.#departures) {
      if (at >= since) return;
      this.#departures.delete(id);
    }
  }

  /** Into the order of those with room if it has some, keeping its place if it has one; else out of it. */
  #sort(agent: Agent): void {
    if (!agent.hasRoom || !this.has(agent)) AgentList.move(agent, undefined);
    else if (!agent.list) AgentList.move(agent, this.#used);
  }
}
