/** Any number of numbers, for their mean and quantiles. */
export class Samples {
  #values = new Float64Array(64);
  #count = 0;
  #sum = 0;
  #isSorted = true;

  get count(): number {
    return this.#count;
  }

  /** The mean; 0 if there are none. */
  get mean(): number {
    return this.#count === 0 ? 0 : this.#sum / this.#count;
  }

  add(value: number): void {
    if (this.#count === this.#values.length) {
      const larger = new Float64Array(2 * this.#count);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.#count++] = value;
    this.#sum += value;
    this.#isSorted = false;
  }

  /** Returns the smallest value that the share `q` of all does not exceed; 0 if there are none. */
  quantile(q: number): number {
    const values = this.#values.subarray(0, this.#count);
    if (!this.#isSorted) values.sort();
    this.#isSorted = true;
    return values[Math.max(Math.ceil(q * this.#count) - 1, 0)] ?? 0;
  }
}
