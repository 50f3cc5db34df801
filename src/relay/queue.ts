/**
 * The asks that wait for a slot. First in, first out for each user, and users take turns, so that one who
 * sends a thousand asks delays another's first by one, not by a thousand.
 */
export class FairQueue<Item extends { readonly user: string }> {
  /** The users who wait, in the order of their turns; none is here with an empty list. */
  readonly #lists = new Map<string, Item[]>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  sizeOf(user: string): number {
    return this.#lists.get(user)?.length ?? 0;
  }

  push(item: Item): void {
    this.#list(item.user).push(item);
    this.#size++;
  }

  /** For an item that had its turn already and must be done again: it is its user's next. */
  unshift(item: Item): void {
    this.#list(item.user).unshift(item);
    this.#size++;
  }

  /**
   * Takes out the first item that fits, of the first user in turn who has one, and ends that user's turn.
   * An item that does not fit holds up no other, its own user's later ones included.
   */
  take(fits: (item: Item) => boolean): Item | undefined {
    for (const [user, list] of this.#lists) {
      const index = list.findIndex(fits);
      if (index < 0) continue;
      const [item] = list.splice(index, 1);
      this.#lists.delete(user);
      if (list.length > 0) this.#lists.set(user, list);
      this.#size--;
      return item;
    }
    return undefined;
  }

  remove(item: Item): boolean {
    const list = this.#lists.get(item.user);
    const index = list?.indexOf(item) ?? -1;
    if (!list || index < 0) return false;
    list.splice(index, 1);
    if (list.length === 0) this.#lists.delete(item.user);
    this.#size--;
    return true;
  }

  users(): IterableIterator<string> {
    return this.#lists.keys();
  }

  /** A copy, as below. */
  itemsOf(user: string): Item[] {
    return [...(this.#lists.get(user) ?? [])];
  }

  /** Of each user who waits the next. */
  *firsts(): Generator<Item> {
    for (const [first] of this.#lists.values()) if (first) yield first;
  }

  /** A copy: what is done to the queue meanwhile does not disturb the walk. */
  items(): Item[] {
    return [...this.#lists.values()].flat();
  }

  #list(user: string): Item[] {
    let list = this.#lists.get(user);
    if (!list) {
      list = [];
      this.#lists.set(user, list);
    }
    return list;
  }
}
