import { Agent } from "../agent.ts";
import type { HeldAgent } from "../peers.ts";
import { type AskRequest, DEFAULT_PREFERENCE, type Transport } from "../types.ts";

/** The slot that another node lends to an ask of this one. */
export interface LentSlot {
  slotId: string;
  nodeId: string;
  held: HeldAgent;
  /** Writes to the other node. */
  transport: Transport;
}

/**
 * A lent slot, in the shape of an agent with one slot, one model and at most one endpoint, so that asks are sent to it
 * and followed as at any other. It is never registered, so no ask is placed at it by its own node's choice. Its circuits,
 * pings and speed are the concern of its home.
 */
export class LentAgent extends Agent {
  readonly nodeId: string;
  readonly #slotId: string;

  /** `tags`: those that the ask needs for which it was chosen, and so has one of each list. */
  constructor({ slotId, nodeId, held, transport }: LentSlot, tags: AskRequest["tags"], now: number) {
    const { preference = { ...DEFAULT_PREFERENCE, tags: tags?.flat() ?? [] }, ...profile } = held.profile;
    const endpoints = held.endpoint === undefined ? [] : [held.endpoint];
    super(profile, { slots: 1, models: [{ id: held.model }], endpoints }, transport, now, preference);
    this.#slotId = slotId;
    this.nodeId = nodeId;
  }

  override get lentSlotId(): string {
    return this.#slotId;
  }
}
