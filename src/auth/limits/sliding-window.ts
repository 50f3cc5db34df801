const CAPACITY_AT_START = 16;

/**
 * An exact rate limit: the times of the requests admitted within a span. It is hand-written because the usual
 * algorithms are not exact: a counter per minute admits twice the limit around the minute's border, and a
 * token bucket admits what it refills on top of what it holds. The times are in a ring buffer of eight bytes
 * each, which grows with use and never beyond the limit.
 */
export class SlidingWindow {
  #times = new Float64Array(CAPACITY_AT_START);
  #first = 0;
  #count = 0;

  constructor(private readonly spanMs: number) {}

  /** Returns the number of requests in the span that ends now. One exactly a span ago does not count. */
  count(now: number): number {
    while (this.#count > 0 && this.#at(0) <= now - this.spanMs) {
      this.#first = (this.#first + 1) % this.#times.length;
      this.#count--;
    }
    return this.#count;
  }

  /** Adds a request. Only allowed while `count` is below `limit`, with times that never run backwards. */
  add(now: number, limit: number): void {
    if (this.#count === this.#times.length) this.#grow(limit);
    this.#times[(this.#first + this.#count) % this.#times.length] = now;
    this.#count++;
  }

  /** Returns the time until another request is admitted: 0 if it is now, the whole span if the limit is 0. */
  waitMs(now: number, limit: number): number {
    const over = this.count(now) - limit;
    if (over < 0) return 0;
    return limit > 0 ? this.#at(over) + this.spanMs - now : this.spanMs;
  }

  /** Returns the time until the span is empty. */
  resetMs(now: number): number {
    const count = this.count(now);
    return count === 0 ? 0 : this.#at(count - 1) + this.spanMs - now;
  }

  /** Returns the ages of the requests in the span that ends now, oldest first. */
  ages(now: number): number[] {
    return Array.from({ length: this.count(now) }, (_, index) => now - this.#at(index));
  }

  /** Adds requests by their ages, in any order. */
  merge(now: number, ages: readonly number[]): void {
    const all = [...this.ages(now), ...ages.filter((age) => age >= 0 && age < this.spanMs)];
    all.sort((a, b) => b - a);
    this.#times = Float64Array.from({ length: Math.max(all.length, CAPACITY_AT_START) }, (_, index) =>
      index < all.length ? now - (all[index] ?? 0) : 0,
    );
    this.#first = 0;
    this.#count = all.length;
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
