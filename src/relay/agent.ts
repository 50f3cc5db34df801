import { AppError } from "../errors.ts";
import type { CloseReason } from "../protocol/close.ts";
import type { Circuit } from "./health/circuit.ts";
import type { Results } from "./health/results.ts";
import { ModelMemory } from "./routing/model-memory.ts";
import { Speed } from "./routing/speed.ts";
import type { Slot } from "./slot.ts";
import {
  type AgentIdentity,
  DEFAULT_PREFERENCE,
  type ModelRequest,
  type Offer,
  type OfferUpdate,
  type Preference,
  type Transport,
  type Work,
} from "./types.ts";

/** An agent heard within this time gets an ask without being pinged first. */
const FRESH_MS = 5_000;

/** The weight of one more ask in the average time of service. */
const NEW_SHARE = 0.1;

/** One registered agent on one connection. A new connection under the same id is another `Agent`. */
export class Agent {
  readonly inUse = new Map<string, Slot>();
  readonly registeredAt: number;
  /** When it registered, then when it last gave a good answer. */
  heartbeatAt: number;
  /** When an ask was last sent to it. */
  sentAt: number | undefined;
  /** Its circuits by model: undefined when there are none, as with nearly every agent. */
  circuits: Map<string, Circuit> | undefined;
  /** How its latest requests ended; undefined before the first has. */
  results: Results | undefined;
  /** It must answer a ping before it gets another ask. */
  mustAnswerPing = false;
  paused = false;
  /** When one of its slots was last freed. */
  freedAt = Number.NEGATIVE_INFINITY;
  /** Why it gets no more asks, and its connection is closed once it has finished those it has. */
  leaving: CloseReason | undefined;
  /** Since when its socket has not drained; undefined while it takes what is sent. */
  congestedAt: number | undefined;
  /** It was not heard lately when an ask was to be sent to it, and not since. */
  isStale = false;
  /** Its number in the order of registration. */
  order = 0;
  /** Why it is chosen before others, or after them. */
  preference: Preference;
  #speeds: Map<string, Speed> | undefined;
  #memory: ModelMemory | undefined;
  /** The moving average of the time that an ask has taken; undefined before the first. */
  serviceMs: number | undefined;
  /** When it registered, then when it was last sent a ping. */
  pingedAt: number;
  /** When it last registered, answered a ping, or sent something of an answer. */
  lastHeardAt: number;
  /** When its socket last took more of what waited for it. */
  tookAt = 0;
  /** Until when a large frame that it announced may be on its way. */
  arrivingUntil = 0;
  /** The bytes that waited for its socket, and those that it had taken, when they were last looked at. */
  #buffered = 0;
  #taken = 0;
  #offer: Offer;
  /** The ids of the models, made when first needed, as most of many idle agents never need them. */
  #models: Set<string> | undefined;

  constructor(
    readonly profile: AgentIdentity,
    offer: Offer,
    readonly transport: Transport,
    now: number,
    preference: Preference = DEFAULT_PREFERENCE,
  ) {
    this.preference = preference;
    this.registeredAt = now;
    this.heartbeatAt = now;
    this.pingedAt = now;
    this.lastHeardAt = now;
    this.#offer = offer;
    this.#report();
  }

  get id(): string {
    return this.profile.id;
  }

  /** The id of the only slot if this is a slot that another node lends: see `LentAgent`. */
  get lentSlotId(): string | undefined {
    return undefined;
  }

  get offer(): Offer {
    return this.#offer;
  }

  /** A v1 agent answers nothing while it works, and goes on working when its caller has gone. */
  get isV1(): boolean {
    return this.profile.protocol === "v1";
  }

  /** Whether it wants work and can be written to, whether or not it has room. */
  get takesWork(): boolean {
    return !this.paused && this.leaving === undefined && this.congestedAt === undefined;
  }

  get hasRoom(): boolean {
    return this.takesWork && this.inUse.size < this.#offer.slots;
  }

  /** The share of its slots in use, 0 to 1. */
  get load(): number {
    return this.inUse.size / this.#offer.slots;
  }

  /** False for a slot that is not in use: what comes for it is for nobody. */
  holds(slotId: string): boolean {
    return this.inUse.has(slotId);
  }

  /** Whether it may get an ask without being pinged first. */
  isFresh(now: number): boolean {
    return !this.mustAnswerPing && now - this.lastHeardAt < FRESH_MS;
  }

  /**
   * Looks whether its socket has taken some of what waited for it, which is a sign of life. Returns how many
   * bytes the socket has taken that the agent may not have read yet.
   */
  noteTaken(now: number): number {
    const { total, buffered, read } = this.transport.sentBytes();
    const taken = total - buffered;
    if (this.#buffered > 0 && taken > this.#taken) this.tookAt = now;
    this.#buffered = buffered;
    this.#taken = taken;
    return Math.max(taken - read, 0);
  }

  heard(now: number): void {
    this.lastHeardAt = now;
    this.mustAnswerPing = false;
  }

  /** Whether the preference is the one that it has. */
  hasPreference(preference: Preference): boolean {
    return isSame(preference, this.preference);
  }

  /** Whether the update would change nothing of the offer. */
  offersAlready(update: OfferUpdate): boolean {
    const { slots, models, endpoints } = this.#offerAfter(update);
    const own = this.#offer;
    return slots === own.slots && isSame(endpoints, own.endpoints) && areSameModels(models, own.models);
  }

  changeOffer(update: OfferUpdate): void {
    this.#offer = this.#offerAfter(update);
    this.#models = undefined;
    if (update.models) this.#report();
  }

  #offerAfter({ slots, models, endpoints }: OfferUpdate): Offer {
    const before = this.#offer;
    return {
      slots: slots ?? before.slots,
      models: models ?? before.models,
      endpoints: endpoints ?? before.endpoints,
    };
  }

  hasModel(model: string): boolean {
    this.#models ??= new Set(this.#offer.models.map(({ id }) => id));
    return this.#models.has(model);
  }

  /** Whether it has at least one tag of each list. */
  hasTags(lists: readonly (readonly string[])[]): boolean {
    const { tags } = this.preference;
    return lists.every((list) => list.some((tag) => tags.includes(tag)));
  }

  /** The models that its upstream has in memory; undefined if it does not tell. */
  get memory(): ModelMemory | undefined {
    return this.#memory;
  }

  #report(): void {
    if (!this.#memory && !this.#offer.models.some(({ loaded }) => loaded !== undefined)) return;
    this.#memory ??= new ModelMemory();
    this.#memory.report(this.#offer.models);
  }

  /** Whether its upstream has the model in memory; undefined if it does not tell. */
  isLoaded(model: string): boolean | undefined {
    return this.#memory?.has(model);
  }

  /** It was busy with an ask for this long. */
  noteService(ms: number): void {
    this.serviceMs = this.serviceMs === undefined ? ms : this.serviceMs + (ms - this.serviceMs) * NEW_SHARE;
  }

  /** Its speed with the model; undefined if it was not measured. */
  speedOf(model: string): Speed | undefined {
    return this.#speeds?.get(model);
  }

  /** Its speed with the model, to be noted. */
  measuredSpeedOf(model: string): Speed {
    this.#speeds ??= new Map();
    return this.#speeds.getOrInsertComputed(model, () => new Speed());
  }

  /** Whether it could do this work, whether or not it has room. */
  canDo(work: Work): boolean {
    if (!this.hasModel(this.modelFor(work))) return false;
    return this.isV1 ? work.v1 !== undefined : this.requestFor(work) !== undefined;
  }

  /** Whether it gets no ask for this work, because it failed too often. */
  isBlocked(work: Work, now: number): boolean {
    return this.circuitFor(work)?.isBlockedAt(now) ?? false;
  }

  circuitFor(work: Work): Circuit | undefined {
    return this.circuits?.get(this.modelFor(work));
  }

  /** The model request that it is to get; undefined for a v1 agent. */
  requestFor({ requests }: Work): ModelRequest | undefined {
    if (this.isV1) return undefined;
    return requests?.find(({ endpoint }) => this.#offer.endpoints.includes(endpoint));
  }

  /** The model that it will use for this work; empty when it has none that may be used. */
  modelFor({ model, models }: Work): string {
    if (model !== undefined) return !models || models.includes(model) ? model : "";
    const mayUse = models ? this.#offer.models.find(({ id }) => models.includes(id)) : this.#offer.models[0];
    return mayUse?.id ?? "";
  }
}

const isSame = (one: unknown, other: unknown): boolean =>
  one === other || JSON.stringify(one) === JSON.stringify(other);

/** Lists that differ nearly always have other names, which is found out sooner than the rest. */
function areSameModels(list: Offer["models"], other: Offer["models"]): boolean {
  if (list.length !== other.length) return false;
  return list.every(({ id }, index) => id === other[index]?.id) && isSame(list, other);
}

/** The part of an agent's identity that decides who gets its id. */
interface TakeOver {
  resumed?: boolean | undefined;
  key?: { id: string | null } | undefined;
  address: string;
}

/**
 * Whether a newcomer may have the id of a connected agent. It may if it showed the secret of that id. Otherwise
 * it must have registered with the same key, or both with none and from the same address. The main key is a
 * key like any other: it is not the same as none.
 */
export function mayTakeOver(newcomer: TakeOver, holder: TakeOver): boolean {
  if (newcomer.resumed) return true;
  if (newcomer.key && holder.key) return newcomer.key.id === holder.key.id;
  return !newcomer.key && !holder.key && newcomer.address === holder.address;
}

/** The error of an ask whose agent was lost, with the reason. */
export function lostError(err: string): AppError {
  return new AppError("agent_lost", { extra: { err } });
}

/** The error of an ask that could not be written to its agent. */
export function sendError(): AppError {
  return new AppError("agent_send_failed");
}

/** The error of an ask whose agent was silent for too long. */
export function timeoutError(): AppError {
  return new AppError("agent_timeout", { extra: { err: "no answer within the time limit" } });
}

/** The error of an ask whose streamed answer has grown too long. */
export function tooLongError(): AppError {
  return new AppError("agent_answer_invalid", { extra: { err: "the answer is longer than --frame-max" } });
}
