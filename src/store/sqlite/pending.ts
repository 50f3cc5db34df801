const PENDING_MAX = 10_000;

/** The items that wait to be written. When writing fails for long, the oldest are dropped. */
export interface Pending<Key, Item> {
  readonly size: number;
  find(key: Key): Item | undefined;
  /** Adds an item, or replaces the one with its key. */
  put(item: Item): void;
  first(count: number): Item[];
  /** Removes the written items, unless they were replaced since. */
  settle(written: readonly Item[]): void;
  /** Removes the items that must not be written any more. */
  remove(isRemoved: (item: Item) => boolean): void;
  /** Returns how many items were dropped since the last call. */
  takeLost(): number;
}

export function createPending<Key, Item>(keyOf: (item: Item) => Key): Pending<Key, Item> {
  const waiting = new Map<Key, Item>();
  let lost = 0;

  return {
    get size() {
      return waiting.size;
    },
    find: (key) => waiting.get(key),

    put(item) {
      const key = keyOf(item);
      const [oldest] = !waiting.has(key) && waiting.size >= PENDING_MAX ? waiting.keys() : [];
      if (oldest !== undefined && waiting.delete(oldest)) lost++;
      waiting.set(key, item);
    },

    first: (count) => [...waiting.values().take(count)],

    settle(written) {
      for (const item of written) if (waiting.get(keyOf(item)) === item) waiting.delete(keyOf(item));
    },

    remove(isRemoved) {
      for (const [key, item] of waiting) if (isRemoved(item)) waiting.delete(key);
    },

    takeLost() {
      const count = lost;
      lost = 0;
      return count;
    },
  };
}
