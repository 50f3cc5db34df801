import type { Clock } from "../clock.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../durations.ts";
import type { AcmeFolder, OrderState } from "./folder.ts";

/** Let's Encrypt refuses a name after 5 failed checks within an hour. */
const TRIES_AN_HOUR_MAX = 4;
const BACK_OFF_MS = [5 * MINUTE_MS, 15 * MINUTE_MS, HOUR_MS, 4 * HOUR_MS, 12 * HOUR_MS, DAY_MS] as const;
/** Until a certificate that is missing or expired is renewed, nobody can use the server. */
const BACK_OFF_URGENT_MAX_MS = HOUR_MS;

/**
 * Decides when a CA may be asked for a certificate again. The tries of the last hour and what the CA wants are kept in the
 * folder, so that a server that is restarted in a loop keeps the CA's rate limits. The back-off after failures begins anew
 * with the process: an operator who has mended the cause and restarts the server need not wait.
 */
export class OrderBudget {
  readonly #folder: Pick<AcmeFolder, "keepState">;
  readonly #clock: Pick<Clock, "now">;
  #state: OrderState;
  #failures = 0;
  #failedAt = 0;

  /** Throws a `CommandError` if the state cannot be read. */
  constructor(folder: Pick<AcmeFolder, "state" | "keepState">, clock: Pick<Clock, "now">) {
    this.#folder = folder;
    this.#clock = clock;
    this.#state = folder.state();
  }

  /** Why the last order failed, of this process or an earlier one; undefined if it did not. */
  get failure(): string | undefined {
    return this.#state.failure;
  }

  /** When the kept certificate was ordered, in ms since 1970; 0 if that is not known. */
  get orderedAt(): number {
    return this.#state.orderedAt;
  }

  /** Returns when the next order is allowed, in ms since 1970. It is urgent if no valid certificate is left. */
  allowedAt(isUrgent: boolean): number {
    const oldest = this.#recentTries().at(-TRIES_AN_HOUR_MAX);
    const afterTries = oldest === undefined ? 0 : oldest + HOUR_MS;
    return Math.max(this.#state.notBefore, afterTries, this.#failedAt + this.#backOffMs(isUrgent));
  }

  /** Notes a try before it begins. Throws a `CommandError` if that cannot be written: then nothing may be ordered. */
  begin(): void {
    this.#keep({ ...this.#state, tries: [...this.#recentTries(), this.#clock.now()] });
  }

  succeeded(): void {
    this.#failures = 0;
    this.#failedAt = 0;
    this.#keep({ tries: this.#state.tries, notBefore: 0, orderedAt: this.#clock.now() });
  }

  /**
   * Notes why a try failed, and how long the CA wants to be left alone. A try that did not reach the CA does not count
   * against its limits.
   */
  failed(failure: string, { retryAfterMs, isReached }: { retryAfterMs: number; isReached: boolean }): void {
    this.#failures++;
    this.#failedAt = this.#clock.now();
    const notBefore = retryAfterMs === 0 ? 0 : this.#failedAt + retryAfterMs;
    const tries = isReached ? this.#state.tries : this.#state.tries.slice(0, -1);
    this.#keep({ ...this.#state, tries, notBefore, failure: failure.slice(0, 2000) });
  }

  #keep(state: OrderState): void {
    this.#state = state;
    this.#folder.keepState(state);
  }

  /** Leaves out times that were more than an hour ago, and those of a clock that was ahead. */
  #recentTries(): number[] {
    const now = this.#clock.now();
    return this.#state.tries.filter((at) => at > now - HOUR_MS && at <= now);
  }

  #backOffMs(isUrgent: boolean): number {
    if (this.#failures === 0) return 0;
    const ms = BACK_OFF_MS[this.#failures - 1] ?? DAY_MS;
    return isUrgent ? Math.min(ms, BACK_OFF_URGENT_MAX_MS) : ms;
  }
}
