export interface Random {
  /** Returns a number from 0 up to, but not including, 1. */
  next(): number;
  /** Returns a whole number from 0 up to, but not including, `end`. */
  below(end: number): number;
  pick<Item>(items: readonly Item[]): Item;
  /** Returns `count` random bytes. */
  bytes(count: number): Buffer;
}

/** Returns a SplitMix32 generator: the same seed gives the same numbers. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const random: Random = {
    next() {
      state = (state + 0x9e3779b9) >>> 0;
      let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
      mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
      return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
    },
    below: (end) => Math.floor(random.next() * end),
    pick(items) {
      const item = items[random.below(items.length)];
      if (item === undefined) throw new Error("Nothing to pick from.");
      return item;
    },
    bytes: (count) => Buffer.from(Array.from({ length: count }, () => random.below(256))),
  };
  return random;
}

/**
 * Returns the seed from the variable SEED, or else a random one. Put it into the title of the test, so that a
 * failure can be repeated with `SEED=… bun test <file>`.
 */
export function chooseSeed(): number {
  const given = Number(process.env["SEED"]);
  return Number.isSafeInteger(given) && given > 0 ? given : 1 + Math.floor(Math.random() * (2 ** 31 - 1));
}
