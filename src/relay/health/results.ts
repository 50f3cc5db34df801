import type { AppError } from "../../errors.ts";

/** The number of the latest requests that tell how an agent is now. */
const RESULTS_MAX = 20;
/** A single failure, or two, may be chance. */
const FAILURES_MIN = 3;
/** The waits of fewer answers say too little. */
const WAITS_MIN = 3;
/** An agent whose answers begin later than this, in the middle, is slow. */
const SLOW_MS = 20_000;

interface LastFailure {
  error: AppError;
  /** Milliseconds since 1970. */
  at: number;
}

/** How the latest requests of an agent ended, and how long its streamed answers took to begin. */
export class Results {
  readonly #wereGood: boolean[] = [];
  #failed = 0;
  readonly #waitsMs: number[] = [];
  #since: number | undefined;
  #last: LastFailure | undefined;

  /** How many of the latest requests are known, and how many of them failed. */
  get counts(): { requests: number; failed: number } {
    return { requests: this.#wereGood.length, failed: this.#failed };
  }

  /** The last failure, also when requests have succeeded since. */
  get lastFailure(): LastFailure | undefined {
    return this.#last;
  }

  /**
   * Since when the agent fails most of its requests, in milliseconds since 1970; undefined if it does not. It lasts until
   * most of the latest requests have succeeded.
   */
  get failingSince(): number | undefined {
    const { requests, failed } = this.counts;
    return failed >= FAILURES_MIN && failed * 2 >= requests ? this.#since : undefined;
  }

  /** The median wait for the first byte of the latest streamed answers; undefined if too few are known. */
  get firstByteMs(): number | undefined {
    if (this.#waitsMs.length < WAITS_MIN) return undefined;
    return this.#waitsMs.toSorted((a, b) => a - b)[Math.floor(this.#waitsMs.length / 2)];
  }

  get isSlow(): boolean {
    return (this.firstByteMs ?? 0) > SLOW_MS;
  }

  succeeded(): void {
    this.#note(true);
    const { requests, failed } = this.counts;
    if (failed * 2 < requests) this.#since = undefined;
  }

  failed(error: AppError, at: number): void {
    this.#note(false);
    this.#since ??= at;
    this.#last = { error, at };
  }

  /** A streamed answer began so long after its request was sent. */
  began(waitMs: number): void {
    if (this.#waitsMs.push(waitMs) > RESULTS_MAX) this.#waitsMs.shift();
  }

  #note(wasGood: boolean): void {
    if (!wasGood) this.#failed++;
    if (this.#wereGood.push(wasGood) > RESULTS_MAX && this.#wereGood.shift() === false) this.#failed--;
  }
}
