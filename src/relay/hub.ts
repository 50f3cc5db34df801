import type { CloseReason } from "../protocol/close.ts";
import type { Agent, Slot } from "./agent.ts";

/** Why an agent is no longer here; undefined when it left by itself. */
export type LeaveReason = CloseReason | undefined;

interface Departure {
  at: number;
  reason: LeaveReason;
}

const DEPARTURES_MAX = 10_000;

/** The agents connected to this node, which of them have room, and who left lately. */
export class Hub {
  readonly #agents = new Map<string, Agent>();
  /**
   * Agents with room, least recently used first, so that the usual choice is the first one looked at even
   * among ten thousand. Agents that were never used come before all others.
   */
  readonly #unused = new Set<Agent>();
  readonly #used = new Set<Agent>();
  readonly #departures = new Map<string, Departure>();
  #lastDeparture: Departure | undefined;

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

  some(test: (agent: Agent) => boolean): boolean {
    for (const agent of this.#agents.values()) if (test(agent)) return true;
    return false;
  }

  add(agent: Agent): void {
    this.#agents.set(agent.id, agent);
    this.#unused.add(agent);
    this.#departures.delete(agent.id);
  }

  /** False when it was not here (any more). */
  remove(agent: Agent, reason: LeaveReason, now: number): boolean {
    if (!this.has(agent)) return false;
    this.#agents.delete(agent.id);
    this.#unused.delete(agent);
    this.#used.delete(agent);
    this.#departures.delete(agent.id);
    this.#lastDeparture = { at: now, reason };
    this.#departures.set(agent.id, this.#lastDeparture);
    if (this.#departures.size > DEPARTURES_MAX) {
      const [oldest] = this.#departures.keys();
      if (oldest !== undefined) this.#departures.delete(oldest);
    }
    return true;
  }

  /** Of the agents that have room and pass the test: the one with the lowest load, then the least recently used. */
  choose(test: (agent: Agent) => boolean): Agent | undefined {
    let best: Agent | undefined;
    for (const order of [this.#unused, this.#used]) {
      for (const agent of order) {
        if ((best && agent.load >= best.load) || !test(agent)) continue;
        best = agent;
        if (agent.load === 0) return agent;
      }
    }
    return best;
  }

  occupy(agent: Agent, slotId: string, slot: Slot): void {
    agent.inUse.set(slotId, slot);
    this.#unused.delete(agent);
    this.#used.delete(agent);
    if (agent.hasRoom) this.#used.add(agent);
  }

  /** Frees the slot and gives what was in it; undefined when it was free already. */
  release(agent: Agent, slotId: string): Slot | undefined {
    const slot = agent.inUse.get(slotId);
    if (!slot) return undefined;
    slot.stopLimit();
    agent.inUse.delete(slotId);
    if (this.has(agent) && !this.#used.has(agent)) this.#used.add(agent);
    return slot;
  }

  /** When and why the agent with this id left or, without an id, the last one that did. */
  departure(id?: string): Departure | undefined {
    return id === undefined ? this.#lastDeparture : this.#departures.get(id);
  }

  /** Forgets the agents that left before `since`. They are kept in the order of their leaving. */
  forgetDepartures(since: number): void {
    for (const [id, { at }] of this.#departures) {
      if (at >= since) return;
      this.#departures.delete(id);
    }
  }
}
