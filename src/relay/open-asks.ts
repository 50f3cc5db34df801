import type { AppError } from "../errors.ts";
import type { Ask } from "./ask.ts";
import type { Hub } from "./hub.ts";
import type { RelayOptions } from "./options.ts";
import type { AskRecord } from "./record.ts";
import type { AskResult } from "./types.ts";

/** Knows the asks without an outcome, and ends each with its one outcome. */
export class OpenAsks {
  #count = 0;
  #onIdle: (() => void) | undefined;

  constructor(
    private readonly options: RelayOptions,
    private readonly hub: Hub,
  ) {}

  get count(): number {
    return this.#count;
  }

  /** Returns them, those that wait before those at an agent. */
  all(): Ask[] {
    return [...this.hub.needs.waiting(), ...this.hub.asks()];
  }

  /** An ask was taken. */
  add(): void {
    this.#count++;
  }

  /** Ends the ask, which leaves the queue. Returns its record; undefined when it has ended before. */
  settle(ask: Ask, outcome: AskResult | AppError, now = this.options.clock.now()): AskRecord | undefined {
    if (ask.isWaiting) this.hub.needs.leave(ask);
    const record = ask.settle(outcome, now);
    if (!record) return undefined;
    this.#count--;
    this.options.observe?.ended(record);
    if (this.#count === 0) this.#onIdle?.();
    return record;
  }

  /** Resolves once every ask has its outcome. */
  idle(): Promise<void> {
    if (this.#count === 0) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onIdle = resolve;
    return promise;
  }
}
