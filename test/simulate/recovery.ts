import { MINUTE_MS } from "../../src/durations.ts";

/** Counts the asks that one agent gets while it fails, and how soon it gets asks again once it works. */
export class Recovery {
  /** The most asks that it refused in a minute. */
  refusedInMinuteMax = 0;
  /** The longest time from the end of a fault until it got an ask. */
  idleMsMax = 0;
  readonly #refusedAt: number[] = [];
  #recoveredAt: number | undefined;

  constructor(private readonly now: () => number) {}

  broke(): void {
    this.worked();
  }

  recovered(): void {
    this.#recoveredAt = this.now();
  }

  /** Notes that it has an ask and does it, or that the time for that is over. */
  worked(): void {
    if (this.#recoveredAt === undefined) return;
    this.idleMsMax = Math.max(this.idleMsMax, this.now() - this.#recoveredAt);
    this.#recoveredAt = undefined;
  }

  refused(): void {
    const now = this.now();
    this.#refusedAt.push(now);
    while ((this.#refusedAt[0] ?? now) <= now - MINUTE_MS) this.#refusedAt.shift();
    this.refusedInMinuteMax = Math.max(this.refusedInMinuteMax, this.#refusedAt.length);
  }
}
