import { type Principal, userIdOf } from "../principal.ts";

/**
 * The asks that wait for a slot. First in, first out for each principal, and principals take turns: a user
 * who sends a thousand asks delays another user's first ask by one ask, not by a thousand.
 */
export class FairQueue<Item extends { readonly principal: Principal }> {
  /** One list for each principal, by `userIdOf`, in the order of their turns. No list is empty. */
  readonly #lists = new Map<string | null, Item[]>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  sizeOf(principal: Principal): number {
    return this.#lists.get(userIdOf(principal))?.length ?? 0;
  }

  push(item: Item): void {
    this.#lists.getOrInsertComputed(userIdOf(item.principal), () => []).push(item);
    this.#size++;
  }

  /** Puts an item that had its turn before its principal's others. */
  unshift(item: Item): void {
    this.#lists.getOrInsertComputed(userIdOf(item.principal), () => []).unshift(item);
    this.#size++;
  }

  /**
   * Takes out the first item that fits, of the first principal in turn who has one, and ends the turn. An
   * item that does not fit holds up no other, not even the later ones of its own principal.
   */
  take(fits: (item: Item) => boolean): Item | undefined {
    for (const [key, list] of this.#lists) {
      const index = list.findIndex(fits);
      if (index < 0) continue;
      const [item] = list.splice(index, 1);
      this.#lists.delete(key);
      if (list.length > 0) this.#lists.set(key, list);
      this.#size--;
      return item;
    }
    return undefined;
  }

  /** Returns false if the item was not in the queue. */
  remove(item: Item): boolean {
    const key = userIdOf(item.principal);
    const list = this.#lists.get(key);
    const index = list?.indexOf(item) ?? -1;
    if (!list || index < 0) return false;
    list.splice(index, 1);
    if (list.length === 0) this.#lists.delete(key);
    this.#size--;
    return true;
  }

  /** Yields the next item of each principal. */
  *firsts(): Generator<Item> {
    for (const [first] of this.#lists.values()) if (first) yield first;
  }

  /** Returns a copy, so that changes to the queue do not disturb the loop over it. */
  items(): Item[] {
    return [...this.#lists.values()].flat();
  }
}
