import type { Endpoint, Model } from "../protocol/agent-v2.ts";
import type { AgentList } from "./agent-list.ts";
import type { Ask } from "./ask.ts";
import type { Cancel, ModelRequest, Transport, Work } from "./ports.ts";

/**
 * How far an ask has come at its agent. `sent`: another agent may still get it. `accepted`: no longer.
 * `started`: its caller has some of the answer.
 */
export type Phase = "sent" | "accepted" | "started";

/** Room for one ask at an agent, in use from the moment the ask was sent. */
export interface Slot {
  /**
   * Undefined once its caller has gone, at an agent that cannot be told: the slot stays in use until it
   * answers or the limit is over.
   */
  ask: Ask | undefined;
  phase: Phase;
  /** What the agent was given of the ask's requests; undefined for the reference's. */
  request: ModelRequest | undefined;
  /** When something of its answer last came. */
  heardAt: number;
  stopLimit: Cancel;
}

/** What an agent can do. */
export interface Offer {
  slots: number;
  models: readonly Model[];
  endpoints: readonly Endpoint[];
}

export interface AgentProfile extends Offer {
  id: string;
  /** Whatever the agent calls itself. */
  name: string;
  /** Its own, where its protocol tells it. */
  version?: string;
  /** The remote address, without a port. */
  address: string;
  /** It showed the main agent key or its own secret, and may take its identity over from another address. */
  trusted: boolean;
  /** The agent key it registered by; its id is null for the main one. Undefined where it showed none. */
  key?: { id: string | null; name: string } | undefined;
  /**
   * `reference`: takes one request at a time, cannot be told to stop, may answer no ping while it works.
   * `v2`: our own protocol.
   */
  protocol: "v1" | "v2";
}

/** One registered agent on one connection. A new connection under the same id is another `Agent`. */
export class Agent {
  readonly inUse = new Map<string, Slot>();
  readonly registeredAt: number;
  /** When it last answered a ping or an ask. */
  heardAt: number;
  /** When it registered, then when it last gave a good answer. */
  heartbeatAt: number;
  /** When an ask was last sent to it. */
  sentAt: number | undefined;
  /** It failed lately: until then others are preferred. */
  restingUntil = 0;
  paused = false;
  /** It gets no more asks, and its connection is closed once it has finished those it has. */
  leaving = false;
  /** The one of the hub's orders that it stands in: none while it has no room. */
  list: AgentList | undefined;
  /** Its neighbours there. */
  previous: Agent | undefined;
  next: Agent | undefined;
  /** Since when its socket has not drained; undefined while it takes what is sent. */
  congestedAt: number | undefined;
  #offer: Offer;
  /** Made when it is first looked for, as most of many idle agents never are. */
  #models: Set<string> | undefined;

  constructor(
    readonly profile: Omit<AgentProfile, keyof Offer>,
    offer: Offer,
    readonly transport: Transport,
    now: number,
  ) {
    this.registeredAt = now;
    this.heardAt = now;
    this.heartbeatAt = now;
    this.#offer = offer;
  }

  get id(): string {
    return this.profile.id;
  }

  get offer(): Offer {
    return this.#offer;
  }

  set offer(offer: Offer) {
    this.#offer = offer;
    this.#models = undefined;
  }

  /** One of the reference's agents answers nothing while it works, and works on what nobody waits for. */
  get isV1(): boolean {
    return this.profile.protocol === "v1";
  }

  /** Whether it wants work and can be written to, room or not. */
  get takesWork(): boolean {
    return !this.paused && !this.leaving && this.congestedAt === undefined;
  }

  get hasRoom(): boolean {
    return this.takesWork && this.inUse.size < this.#offer.slots;
  }

  /** Share of its slots in use, 0 to 1. */
  get load(): number {
    return this.inUse.size / this.#offer.slots;
  }

  hasModel(model: string): boolean {
    this.#models ??= new Set(this.#offer.models.map(({ id }) => id));
    return this.#models.has(model);
  }

  /** Whether it could do this, room or not. */
  canDo(work: Work): boolean {
    if (!this.hasModel(this.modelFor(work))) return false;
    return this.isV1 ? work.v1 !== undefined : this.requestFor(work) !== undefined;
  }

  /** The one it is to be given. */
  requestFor({ requests }: Work): ModelRequest | undefined {
    if (this.isV1) return undefined;
    return requests?.find(({ endpoint }) => this.#offer.endpoints.includes(endpoint));
  }

  /** The model it will use for this; empty where it has none that may be used. */
  modelFor({ model, models }: Work): string {
    if (model !== undefined) return !models || models.includes(model) ? model : "";
    const mayUse = models ? this.#offer.models.find(({ id }) => models.includes(id)) : this.#offer.models[0];
    return mayUse?.id ?? "";
  }
}

/**
 * Whether a newcomer may have the id of one that is here. One that showed the main key or the agent's own secret may. Others must have registered by the same key,
 * or both by none, then from the same address.
 */
export function mayTakeOver(newcomer: Agent["profile"], holder: Agent["profile"]): boolean {
  if (newcomer.trusted) return true;
  const [own, other] = [newcomer.key?.id ?? null, holder.key?.id ?? null];
  return own === other && (own !== null || newcomer.address === holder.address);
}
