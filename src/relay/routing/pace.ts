import type { Agent } from "../agent.ts";
import { fastestOf, ratioOf, type Speed, type SpeedParts, sumOf } from "./speed.ts";

/** An agent that can do the work of a need, with the model that it will use. */
export interface Candidate {
  agent: Agent;
  model: string;
  /** Undefined if it was not measured. */
  speed: Speed | undefined;
  /** The result of `slownessOf` when it was last looked at. */
  slowness: number;
}

/** The part of a need that the comparison needs. */
interface Compared {
  candidates(): Iterable<Candidate>;
  /** How many asks wait. */
  waiting(): number;
}

/** The agents of one priority that work at about the speed of the fastest. */
interface Fast {
  /** The shortest time of each part of a typical answer. */
  parts: SpeedParts;
  slots: number;
}

/** Agents that take less than this many times as long as the fastest are equal to it. */
const EQUAL_UNTIL = 2;
/** An agent that takes this many times as long is slow: an ask rather waits for a faster one. */
const SLOW_FROM = 4;
/** From this step on an agent is slow: see `slownessOf`. */
const SLOW_STEP = 2;

/** Measured speeds are compared at most as often as this. */
const COMPARED_MS = 1_000;

/** An ask waits for a faster agent for at most this time. */
const PATIENCE_MS_MAX = 30_000;

/** One of this many asks may go to a slower agent, to see whether it still is slower. */
const TRIAL_EVERY = 200;
/** With few asks, a slower agent is tried again after this time. */
const TRIAL_AFTER_MS = 60_000;

const isSlow = (slowness: number): boolean => slowness >= SLOW_STEP;

/** Compares the speeds of the agents of a need. */
export class Pace<Item extends Candidate = Candidate> {
  #fast = new Map<number, Fast>();
  #comparedAt = Number.NEGATIVE_INFINITY;
  /** The number of asks after which a trial is due. */
  #trialEvery = TRIAL_EVERY;
  #sentSinceTrial = 0;
  #triedAt = Number.NEGATIVE_INFINITY;
  #trial: Item | undefined;
  #hasLoaded = false;
  /** Whether something has changed since the speeds were compared. */
  #isDue = true;

  constructor(private readonly need: Compared) {}

  /** An agent has come or gone, or its state has changed. */
  changed(): void {
    this.#isDue = true;
    this.#comparedAt = Number.NEGATIVE_INFINITY;
    this.#trial = undefined;
  }

  /**
   * Returns 0 for an agent that is about as fast as the fastest of its priority, or not measured; then 1, and from 2
   * on it is slow, in steps of two.
   */
  slownessOf(candidate: Candidate, now: number): number {
    const ratio = this.#ratioOf(candidate, now);
    if (ratio < EQUAL_UNTIL) return 0;
    return ratio < SLOW_FROM ? 1 : SLOW_STEP + Math.floor(Math.log2(ratio / SLOW_FROM));
  }

  /**
   * Whether the agent is so slow that an ask that has waited for this long waits for a faster one. It does not if
   * that would take as long: because it has waited for that, or because too many asks wait for the fast agents.
   */
  isTooSlow(candidate: Candidate, waitedMs: number, now: number): boolean {
    if (!isSlow(candidate.slowness) || candidate === this.#trial) return false;
    const { measuredAt = 0 } = candidate.speed ?? {};
    // Otherwise it could be slow compared with itself, as it was before.
    if (measuredAt >= this.#comparedAt) this.#compare(now);
    if (!isSlow(this.slownessOf(candidate, now))) return false;
    const { slots = 0 } = this.#fastOf(candidate, now) ?? {};
    return (
      this.need.waiting() <= slots * (this.#ratioOf(candidate, now) - 1) &&
      waitedMs < this.patienceMs(candidate, now)
    );
  }

  /** Returns how long an ask waits for a faster agent than this one. */
  patienceMs(candidate: Candidate, now: number): number {
    const { parts = {} } = this.#fastOf(candidate, now) ?? {};
    return Math.min(sumOf(parts) * (this.#ratioOf(candidate, now) - 1), PATIENCE_MS_MAX);
  }

  /** The speed of an agent was measured anew. */
  measured(): void {
    this.#isDue = true;
  }

  /** The slower agent to send the next ask to, once it may get one. */
  get trial(): Item | undefined {
    return this.#trial;
  }

  /** Whether a slower agent is to be chosen for a trial, which is seldom. */
  isTrialDue(now: number): boolean {
    return this.#sentSinceTrial >= this.#trialEvery || now >= this.#triedAt + TRIAL_AFTER_MS;
  }

  /** Chooses a slower agent to send the next ask to, to see whether it still is slower. */
  chooseTrial(candidates: Iterable<Item>, now: number): void {
    this.#sentSinceTrial = 0;
    this.#triedAt = now;
    this.#trial = undefined;
    let dueAt = now;
    let count = 0;
    for (const candidate of candidates) {
      count++;
      const trialAt = candidate.speed?.trialAt ?? now;
      if (candidate.slowness === 0 || candidate.agent.inUse.size > 0 || trialAt >= dueAt) continue;
      this.#trial = candidate;
      dueAt = trialAt;
    }
    // An ask looks at eight agents for this at most, however many there are.
    this.#trialEvery = Math.max(TRIAL_EVERY, count / 8);
  }

  /** Whether an agent that takes work has the model in memory. */
  hasLoaded(now: number): boolean {
    this.#compareAgain(now);
    return this.#hasLoaded;
  }

  /** Returns how long one more ask would wait after this many; undefined if nothing was measured. */
  waitMs(waiting: number): number | undefined {
    let slots = 0;
    let perMs = 0;
    for (const { agent } of this.need.candidates()) {
      if (!agent.takesWork || agent.serviceMs === undefined) continue;
      slots += agent.offer.slots;
      perMs += agent.offer.slots / Math.max(agent.serviceMs, 1);
    }
    return slots === 0 ? undefined : (waiting + 1) / perMs;
  }

  /** The agent was sent an ask. */
  sent(candidate: Candidate, now: number): void {
    this.#sentSinceTrial++;
    if (candidate !== this.#trial) return;
    this.#trial = undefined;
    candidate.speed?.beginTrial(now);
  }

  #ratioOf(candidate: Candidate, now: number): number {
    const own = candidate.speed?.parts;
    // Comparing looks at all agents, which is in vain for one that was not measured, as each newcomer.
    return own ? ratioOf(own, this.#fastOf(candidate, now)?.parts ?? {}) : 1;
  }

  #fastOf({ agent }: Candidate, now: number): Fast | undefined {
    this.#compareAgain(now);
    return this.#fast.get(agent.preference.priority);
  }

  #compareAgain(now: number): void {
    if (this.#isDue && now - this.#comparedAt >= COMPARED_MS) this.#compare(now);
  }

  /** Only agents that take work count: waiting for the others would not help. */
  #compare(now: number): void {
    this.#isDue = false;
    this.#comparedAt = now;
    this.#fast = new Map();
    this.#hasLoaded = false;
    const measured: { priority: number; parts: Readonly<SpeedParts>; slots: number }[] = [];
    for (const { agent, model, speed } of this.need.candidates()) {
      if (!agent.takesWork || agent.circuits?.get(model)?.isAvoidedAt(now)) continue;
      this.#hasLoaded ||= agent.isLoaded(model) === true;
      const parts = speed?.parts;
      if (!parts) continue;
      const { priority } = agent.preference;
      measured.push({ priority, parts, slots: agent.offer.slots });
      const fast = this.#fast.getOrInsertComputed(priority, () => ({ parts: {}, slots: 0 }));
      fast.parts = fastestOf([parts, fast.parts]);
    }
    for (const { priority, parts, slots } of measured) {
      const fast = this.#fast.get(priority);
      if (fast && ratioOf(parts, fast.parts) < SLOW_FROM) fast.slots += slots;
    }
  }
}
