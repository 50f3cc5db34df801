/** Under load, so many items do not wait any longer. */
const MUCH_ITEMS = 1_000;
/** The same for the length of their texts, which take memory until they are written. */
const MUCH_LENGTH = 4 * 1024 ** 2;
/** The most that waits while nothing can be written. */
const ITEMS_MAX = 10_000;
const LENGTH_MAX = 256 * 1024 ** 2;

/** The items that wait to be written. When writing fails for long, the oldest are dropped. */
export function createPending<Key, Item>(
  keyOf: (item: Item) => Key,
  lengthOf: (item: Item) => number = () => 0,
) {
  const waiting = new Map<Key, Item>();
  let length = 0;
  let lost = 0;

  function remove(key: Key): boolean {
    const item = waiting.get(key);
    if (item === undefined) return false;
    length -= lengthOf(item);
    return waiting.delete(key);
  }

  const isTooMuch = () => waiting.size > ITEMS_MAX || (length > LENGTH_MAX && waiting.size > 1);

  function dropOldest(): void {
    for (const key of waiting.keys()) {
      if (!isTooMuch()) return;
      if (remove(key)) lost++;
    }
  }

  return {
    get size() {
      return waiting.size;
    },
    /** The length of the texts of all items. */
    get length() {
      return length;
    },
    /** Whether the items should wait for no others. */
    get isMuch() {
      return waiting.size >= MUCH_ITEMS || length >= MUCH_LENGTH;
    },
    find: (key: Key) => waiting.get(key),

    /** Returns the oldest items: at most `count`, and no more once their texts have this length. */
    first(count: number, lengthMax = Number.POSITIVE_INFINITY): Item[] {
      const items: Item[] = [];
      let sum = 0;
      for (const item of waiting.values()) {
        if (items.length >= count || sum >= lengthMax) break;
        items.push(item);
        sum += lengthOf(item);
      }
      return items;
    },

    put(item: Item): void {
      const key = keyOf(item);
      const before = waiting.get(key);
      length += lengthOf(item) - (before === undefined ? 0 : lengthOf(before));
      waiting.set(key, item);
      if (isTooMuch()) dropOldest();
    },

    /** Removes the written items, unless they were replaced since. */
    settle(written: readonly Item[]): void {
      for (const item of written) if (waiting.get(keyOf(item)) === item) remove(keyOf(item));
    },

    /** Removes the items that must not be written any more. */
    remove(isRemoved: (item: Item) => boolean): void {
      for (const [key, item] of waiting) if (isRemoved(item)) remove(key);
    },

    /** Returns how many items were dropped since the last call. */
    takeLost(): number {
      const count = lost;
      lost = 0;
      return count;
    },
  };
}

export type Pending<Key, Item> = ReturnType<typeof createPending<Key, Item>>;
