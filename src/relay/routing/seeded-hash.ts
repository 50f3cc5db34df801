/**
 * Hashes pairs of texts to 53 bits, which are compact as the keys of a map. Pairs that are different by chance have
 * different hashes. It is not for secrets: someone who can see hashes could find the seed.
 */
export class SeededHash {
  /** The halves of the hash after the seed, and after the first text. */
  readonly #seed: number;
  #a = 0;
  #b = 0;

  /** `seed` is from 0 to 1. */
  constructor(seed: number) {
    this.#seed = Math.floor(seed * 2 ** 32) | 0;
  }

  /** Begins the pairs with this first text. */
  begin(first: string): void {
    let a = this.#seed;
    let b = ~this.#seed;
    for (let at = 0; at < first.length; at++) {
      const code = first.charCodeAt(at);
      a = Math.imul(a ^ code, 0x9e3779b1);
      b = Math.imul(b ^ code, 0x5f356495);
    }
    // "ab" and "c" are not "a" and "bc".
    this.#a = Math.imul(a ^ first.length, 0x85ebca6b);
    this.#b = Math.imul(b ^ first.length, 0xc2b2ae35);
  }

  /** Returns the hash of the first text with this second. */
  of(second: string): number {
    let a = this.#a;
    let b = this.#b;
    for (let at = 0; at < second.length; at++) {
      const code = second.charCodeAt(at);
      a = Math.imul(a ^ code, 0x9e3779b1);
      b = Math.imul(b ^ code, 0x5f356495);
    }
    const high = Math.imul(a ^ (b >>> 15), 0x2c1b3c6d);
    const low = Math.imul(b ^ (a >>> 13), 0x297a2d39);
    return ((high ^ (high >>> 12)) >>> 11) * 2 ** 32 + ((low ^ (low >>> 15)) >>> 0);
  }
}
