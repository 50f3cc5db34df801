import type { AppError } from "../../errors.ts";
import type { Ask } from "../ask.ts";
import type { Hub } from "../hub.ts";
import type { RelayOptions } from "../options.ts";
import type { AskRecord } from "../record.ts";
import type { SoughtAsks } from "../tickets/sought.ts";
import type { AskResult } from "../types.ts";

/** Knows the asks without an outcome, and ends each with its one outcome. */
export class OpenAsks {
  #count = 0;
  #tickets = 0;
  #onIdle: (() => void) | undefined;

  constructor(
    private readonly options: RelayOptions,
    private readonly hub: Hub,
    private readonly sought: SoughtAsks,
  ) {}

  /** How many of this node there are. */
  get count(): number {
    return this.#count;
  }

  /** Returns those of this node, those that wait before those at an agent. */
  all(): Ask[] {
    return [...this.hub.needs.ownWaiting(), ...this.hub.asks().filter(({ isTicket }) => !isTicket)];
  }

  /** An ask was taken. */
  add(): void {
    this.#count++;
  }

  /** An agent of this node is held for an ask of another. */
  addTicket(): void {
    this.#tickets++;
  }

  /**
   * Ends the ask, which leaves the queue. Returns its record; undefined when it has ended before. That of another
   * node's ask is not for the observer: that node has one of its own.
   */
  settle(ask: Ask, outcome: AskResult | AppError, now = this.options.clock.now()): AskRecord | undefined {
    if (ask.isWaiting) this.hub.needs.leave(ask);
    this.sought.end(ask, false);
    const wasInSlot = ask.isTicket && ask.place !== undefined;
    const record = ask.settle(outcome, now);
    if (!record) return undefined;
    if (!ask.isTicket) {
      this.#count--;
      this.options.observe?.ended(record);
    } else if (wasInSlot) this.#tickets--;
    if (this.#count + this.#tickets === 0) this.#onIdle?.();
    return record;
  }

  /** Resolves once every ask has its outcome, and no agent works for another node. */
  idle(): Promise<void> {
    if (this.#count + this.#tickets === 0) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onIdle = resolve;
    return promise;
  }
}
