/** An item of a heap, which notes its own position: -1 while it is in none. An item is in one heap at most. */
export interface HeapItem {
  heapIndex: number;
}

/** A binary heap. The order of an item may change, if `set` is called after each change. */
export class Heap<Item extends HeapItem> {
  readonly #items: Item[] = [];

  /** `isBefore` must be a strict order. */
  constructor(private readonly isBefore: (one: Item, other: Item) => boolean) {}

  get size(): number {
    return this.#items.length;
  }

  get first(): Item | undefined {
    return this.#items[0];
  }

  has(item: Item): boolean {
    return item.heapIndex >= 0;
  }

  /** Adds the item, or moves it to where it belongs by now. */
  set(item: Item): void {
    if (item.heapIndex < 0) {
      item.heapIndex = this.#items.length;
      this.#items.push(item);
    }
    if (!this.#up(item)) this.#down(item);
  }

  /** Harmless if the item is not in the heap. */
  delete(item: Item): void {
    const index = item.heapIndex;
    if (index < 0) return;
    item.heapIndex = -1;
    const last = this.#items.pop();
    if (!last || last === item) return;
    this.#put(last, index);
    if (!this.#up(last)) this.#down(last);
  }

  /** Returns the first item in order that passes the test, which must not change the heap. */
  find(test: (item: Item) => boolean): Item | undefined {
    const { first } = this;
    if (!first || test(first)) return first;
    // Only what comes after an item that was looked at can be the next one in order.
    const next = new Heap<Candidate<Item>>((one, other) => this.isBefore(one.item, other.item));
    const addChildren = (index: number) => {
      for (const child of [2 * index + 1, 2 * index + 2]) {
        const item = this.#items[child];
        if (item) next.set({ item, heapIndex: -1 });
      }
    };
    addChildren(0);
    for (let { first: candidate } = next; candidate; candidate = next.first) {
      const { item } = candidate;
      if (test(item)) return item;
      next.delete(candidate);
      addChildren(item.heapIndex);
    }
    return undefined;
  }

  /** Iterates over the items in no order. */
  [Symbol.iterator](): IterableIterator<Item> {
    return this.#items.values();
  }

  #put(item: Item, index: number): void {
    this.#items[index] = item;
    item.heapIndex = index;
  }

  /** Returns whether the item was moved. */
  #up(item: Item): boolean {
    const from = item.heapIndex;
    let index = from;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = this.#items[parentIndex];
      if (!parent || !this.isBefore(item, parent)) break;
      this.#put(parent, index);
      index = parentIndex;
    }
    this.#put(item, index);
    return index !== from;
  }

  #down(item: Item): void {
    let index = item.heapIndex;
    for (;;) {
      const left = this.#items[2 * index + 1];
      const right = this.#items[2 * index + 2];
      const child = left && right && this.isBefore(right, left) ? right : left;
      if (!child || !this.isBefore(child, item)) break;
      const childIndex = child.heapIndex;
      this.#put(child, index);
      index = childIndex;
    }
    this.#put(item, index);
  }
}

interface Candidate<Item> extends HeapItem {
  item: Item;
}
