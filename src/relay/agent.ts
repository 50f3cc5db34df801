import type { Ask } from "./ask.ts";
import type { Cancel, Transport } from "./ports.ts";

/** Room for one ask at an agent, in use from the moment the ask was sent. */
export interface Slot {
  /** Undefined once its caller has gone: the slot stays in use until the agent answers or the limit is over. */
  ask: Ask | undefined;
  stopLimit: Cancel;
}

export interface AgentProfile {
  id: string;
  /** The remote address, without a port. */
  address: string;
  /** It showed the agent key, and may take its identity over from another address. */
  trusted: boolean;
  slots: number;
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

  constructor(
    readonly profile: AgentProfile,
    readonly transport: Transport,
    now: number,
  ) {
    this.registeredAt = now;
    this.heardAt = now;
    this.heartbeatAt = now;
  }

  get id(): string {
    return this.profile.id;
  }

  get hasRoom(): boolean {
    return this.inUse.size < this.profile.slots;
  }

  /** Share of its slots in use, 0 to 1. */
  get load(): number {
    return this.inUse.size / this.profile.slots;
  }
}
