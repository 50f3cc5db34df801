import type { Cancel, Clock } from "../../clock.ts";
import type { Agent } from "../agent.ts";
import type { Ask } from "../ask.ts";
import type { Preference, Work } from "../types.ts";
import { Heap, type HeapItem } from "./heap.ts";
import { Pace } from "./pace.ts";
import type { Speed } from "./speed.ts";
import { Turns } from "./turns.ts";

/** The properties that an agent must have to get an ask. Asks with equal ones wait together. */
export interface Requirement {
  /** The work without its content. */
  work: Work;
  /** An agent must have at least one tag of each list. */
  tags: readonly (readonly string[])[];
  /** The id of the only agent. */
  pin: string | undefined;
  /** Other agents could serve the asks, too, which wait here only for a while. */
  isPreferred: boolean;
}

/** An agent in the order in which the agents are chosen for a need. */
export class Place implements HeapItem {
  heapIndex = -1;
  /** The heap of its need that it is in; undefined while it may get no ask. */
  heap: Heap<Place> | undefined;
  /** Whether there was a failure just now, so that the other agents come first. */
  isAvoided = false;
  priority = 0;
  /** Whether the upstream would have to load the model. */
  isCold = false;
  /** How many times slower than the fastest it is, in steps of two; 0 also if it is not known. */
  slowness = 0;
  load = 0;
  /** The turn from which on it may be chosen before others of equal rank. */
  turn = 0;
  /** The agent's speed with the model; undefined if it was not measured. */
  speed: Speed | undefined;

  constructor(
    readonly need: Need,
    readonly agent: Agent,
    /** The model that the agent will use. */
    readonly model: string,
  ) {
    this.speed = agent.speedOf(model);
  }
}

/** The agents that can do the same work, in the order in which they are chosen, and the asks that wait for them. */
export class Need {
  readonly places = new Map<Agent, Place>();
  /** Those that may get an ask now. */
  readonly #ready = new Heap<Place>(isBefore);
  /** Those that have room, but were not heard lately: they must answer a ping first. */
  readonly #stale = new Heap<Place>(isBefore);
  readonly waiting = new Turns<Ask>();
  /** Those of the waiting asks that agents have failed, which may not go to every agent. */
  readonly tried = new Set<Ask>();
  /** When it was last looked up, as a number in the order of look-ups. */
  usedAt = 0;
  readonly pace = new Pace<Place>({
    candidates: () => this.places.values(),
    waiting: () => this.waiting.size,
  });
  #lookAt = Number.POSITIVE_INFINITY;
  #stopLooking: Cancel | undefined;
  /** The turn of the agent that was chosen last. */
  #turn = 0;

  constructor(
    readonly key: string,
    readonly requirement: Requirement,
  ) {}

  /** Whether the agent can do the work, whether or not it has room. */
  fits(agent: Agent): boolean {
    const { work, tags, pin } = this.requirement;
    if (pin !== undefined && agent.id !== pin) return false;
    return agent.canDo(work) && agent.hasTags(tags);
  }

  /** Adds the agent. It is to be sorted then, once all are added that are added together. */
  add(agent: Agent): Place {
    const place = this.placeFor(agent);
    this.places.set(agent, place);
    this.pace.changed();
    return place;
  }

  /** Returns a place for the agent, which is not added. */
  placeFor(agent: Agent): Place {
    return new Place(this, agent, agent.modelFor(this.requirement.work));
  }

  remove(place: Place): void {
    this.places.delete(place.agent);
    place.heap?.delete(place);
    place.heap = undefined;
    this.pace.changed();
  }

  /** Puts the agent where it belongs by now. To be called after each change of the agent. */
  sort(place: Place, now: number): void {
    const { agent, model } = place;
    const circuit = agent.circuits?.get(model);
    place.isAvoided = circuit?.isAvoidedAt(now) ?? false;
    place.priority = agent.preference.priority;
    place.isCold = agent.isLoaded(model) === false;
    place.slowness = this.pace.slownessOf(place, now);
    place.load = agent.load / agent.preference.weight;
    const mayGet = agent.hasRoom && !circuit?.isBlockedAt(now) && !circuit?.isCoolingAt(now);
    const heap = agent.isStale ? this.#stale : this.#ready;
    if (place.heap !== heap || !mayGet) place.heap?.delete(place);
    place.heap = mayGet ? heap : undefined;
    place.heap?.set(place);
  }

  /** Returns the best agent that passes the test; undefined if none does. */
  best(test: (place: Place) => boolean, now: number): Place | undefined {
    if (this.pace.isTrialDue(now)) this.pace.chooseTrial(this.#withRoom(), now);
    const { trial } = this.pace;
    return trial && trial.heap === this.#ready && test(trial) ? trial : this.#ready.find(test);
  }

  *#withRoom(): Generator<Place> {
    yield* this.#ready;
    yield* this.#stale;
  }

  /** The slower agent that is to get an ask, to see whether it still is slower, if it must answer a ping first. */
  get staleTrial(): Agent | undefined {
    const { trial } = this.pace;
    return trial?.heap === this.#stale ? trial.agent : undefined;
  }

  /** Whether an agent that is not stale has room, so that asks wait only for a better one. */
  get hasReady(): boolean {
    return this.#ready.size > 0;
  }

  /** Whether an agent of a higher priority has room. */
  hasRoomAbove(priority: number): boolean {
    return [this.#ready, this.#stale].some(
      ({ first }) => first && !first.isAvoided && first.priority > priority,
    );
  }

  /** Returns the best of the stale agents that passes the test. */
  stale(test: (place: Place) => boolean): Place | undefined {
    return this.#stale.find(test);
  }

  some(test: (agent: Agent) => boolean): boolean {
    for (const agent of this.places.keys()) if (test(agent)) return true;
    return false;
  }

  /** Calls `look` after the delay if asks still wait then, or earlier if it is to be called earlier anyway. */
  lookLater(clock: Clock, delayMs: number, look: () => void): void {
    const at = clock.now() + delayMs;
    if (at >= this.#lookAt) return;
    this.stopLooking();
    this.#lookAt = at;
    this.#stopLooking = clock.after(delayMs, () => {
      this.stopLooking();
      look();
    });
  }

  stopLooking(): void {
    this.#stopLooking?.();
    this.#stopLooking = undefined;
    this.#lookAt = Number.POSITIVE_INFINITY;
  }

  /** The agent gets an ask: the others of equal weight are next. */
  sent(place: Place, now: number): void {
    this.#turn = Math.max(this.#turn, place.turn);
    place.turn = this.#turn + turnsOf(place.agent.preference);
    this.pace.sent(place, now);
  }
}

/** The least weight that makes a difference: turns are counted in numbers of limited precision. */
const WEIGHT_MIN = 1e-6;

/** Returns after how many turns of an agent with the weight 1 it is the agent's turn again. */
function turnsOf({ weight }: Pick<Preference, "weight">): number {
  return 1 / Math.max(weight, WEIGHT_MIN);
}

/** Whether the first one is better by more than its load and its turn. */
export function isBetter(one: Place, other: Place): boolean {
  const isEqual =
    one.isAvoided === other.isAvoided &&
    one.priority === other.priority &&
    one.isCold === other.isCold &&
    one.slowness === other.slowness;
  return !isEqual && isBefore(one, other);
}

function isBefore(one: Place, other: Place): boolean {
  if (one.isAvoided !== other.isAvoided) return other.isAvoided;
  if (one.priority !== other.priority) return one.priority > other.priority;
  if (one.isCold !== other.isCold) return other.isCold;
  if (one.slowness !== other.slowness) return one.slowness < other.slowness;
  if (one.load !== other.load) return one.load < other.load;
  if (one.turn !== other.turn) return one.turn < other.turn;
  return one.agent.order < other.agent.order;
}
