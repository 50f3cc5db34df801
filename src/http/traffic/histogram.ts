/** Each bucket ends a fourth of a power of two above the one before, so that a value is known to within 9%. */
const PER_DOUBLING = 4;
/** The last bucket begins at 4.6 hours, and has all that is longer. */
const BUCKETS = 24 * PER_DOUBLING + 1;

/** Returns the number of the bucket of a duration. */
export function bucketOf(ms: number): number {
  return ms < 1 ? 0 : Math.min(BUCKETS - 1, 1 + Math.floor(PER_DOUBLING * Math.log2(ms)));
}

/** Counts durations in milliseconds by their magnitude. Histograms can be added. */
export class Histogram {
  #counts: Uint32Array | undefined;

  /** Counts a duration in the bucket that `bucketOf` returned for it. */
  note(bucket: number): void {
    this.#counts ??= new Uint32Array(BUCKETS);
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
  }

  add(other: Histogram): void {
    const counts = other.#counts;
    if (!counts) return;
    this.#counts ??= new Uint32Array(BUCKETS);
    for (let bucket = 0; bucket < BUCKETS; bucket++)
      this.#counts[bucket] = (this.#counts[bucket] ?? 0) + (counts[bucket] ?? 0);
  }

  /** Returns the duration that this share of the noted ones does not exceed, such as 0.95; null if there are none. */
  quantile(share: number): number | null {
    const counts = this.#counts;
    if (!counts) return null;
    const all = counts.reduce((sum, count) => sum + count, 0);
    let left = Math.max(1, Math.ceil(all * share));
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      left -= counts[bucket] ?? 0;
      if (left <= 0) return bucket === 0 ? 0 : Math.round(2 ** ((bucket - 0.5) / PER_DOUBLING));
    }
    return null;
  }

  /** Returns the numbers of the buckets that are not empty, each followed by its count. */
  pack(): number[] {
    const packed: number[] = [];
    this.#counts?.forEach((count, bucket) => {
      if (count > 0) packed.push(bucket, count);
    });
    return packed;
  }

  /** Adds the histogram that `pack` returned. Anything else than such a list is empty. */
  addPacked(packed: unknown): void {
    if (!Array.isArray(packed)) return;
    for (let index = 0; index + 1 < packed.length; index += 2) {
      const bucket = Number(packed[index]);
      if (!(bucket >= 0 && bucket < BUCKETS)) continue;
      this.#counts ??= new Uint32Array(BUCKETS);
      this.#counts[bucket] = (this.#counts[bucket] ?? 0) + Number(packed[index + 1]);
    }
  }
}
