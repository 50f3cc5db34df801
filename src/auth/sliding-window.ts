const CAPACITY_AT_FIRST = 16;

/**
 * The times of what was let in within a span, exact to the clock's resolution: of no span of that length, wherever
 * it begins, does it lose or invent one. A counter for each minute lets twice the limit through around its border,
 * and a bucket that refills the limit on top of what it holds; only the times themselves do not. They are in a ring
 * that grows with use and never beyond the limit, eight bytes each.
 */
export class SlidingWindow {
  readonly #spanMs: number;
  #times = new Float64Array(CAPACITY_AT_FIRST);
  #first = 0;
  #count = 0;

  constructor(spanMs: number) {
    this.#spanMs = spanMs;
  }

  /** How many are in the span that ends now. What was let in exactly a span ago is no longer. */
  count(now: number): number {
    while (this.#count > 0 && this.#at(0) <= now - this.#spanMs) {
      this.#first = (this.#first + 1) % this.#times.length;
      this.#count--;
    }
    return this.#count;
  }

  /** To be called only while `count` is below `limit`; times must not run backwards. */
  add(now: number, limit: number): void {
    if (this.#count === this.#times.length) this.#grow(limit);
    this.#times[(this.#first + this.#count) % this.#times.length] = now;
    this.#count++;
  }

  /** How long until another one fits: 0 when it fits now; the whole span where the limit is 0. */
  waitMs(now: number, limit: number): number {
    const over = this.count(now) - limit;
    if (over < 0) return 0;
    return limit > 0 ? this.#at(over) + this.#spanMs - now : this.#spanMs;
  }

  /** How long until the span is empty. */
  resetMs(now: number): number {
    const count = this.count(now);
    return count === 0 ? 0 : this.#at(count - 1) + this.#spanMs - now;
  }

  #at(index: number): number {
    return this.#times[(this.#first + index) % this.#times.length] ?? 0;
  }

  #grow(limit: number): void {
    const times = new Float64Array(Math.min(this.#times.length * 2, Math.max(limit, this.#count + 1)));
    for (let index = 0; index < this.#count; index++) times[index] = this.#at(index);
    this.#times = times;
    this.#first = 0;
  }
}
