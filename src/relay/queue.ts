import { type Principal, userIdOf } from "../principal.ts";

/**
 * The asks that wait for a slot. First in, first out for each user, and users take turns, so that one who
 * sends a thousand asks delays another's first by one, not by a thousand.
 */
export class FairQueue<Item extends { readonly principal: Principal }> {
  /** By `userIdOf`, in the order of their turns; no list is empty. */
  readonly #lists = new Map<string | null, Item[]>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  sizeOf(principal: Principal): number {
    return this.#lists.get(userIdOf(principal))?.length ?? 0;
  }

  push(item: Item): void {
    this.#list(item.principal).push(item);
    this.#size++;
  }

  /** For an item that had its turn already and must be done again: it is its user's next. */
  unshift(item: Item): void {
    this.#list(item.principal).unshift(item);
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
    const userId = userIdOf(item.principal);
    const list = this.#lists.get(userId);
    const index = list?.indexOf(item) ?? -1;
    if (!list || index < 0) return false;
    list.splice(index, 1);
    if (list.length === 0) this.#lists.delete(userId);
    this.#size--;
    return true;
  }

  /** The ids of the users who wait. */
  userIds(): string[] {
    return [...this.#lists.keys()].filter((id) => id !== null);
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

  #list(principal: Principal): Item[] {
    const userId = userIdOf(principal);
    let list = this.#lists.get(userId);
    if (!list) {
      list = [];
      this.#lists.set(userId, list);
    }
    return list;
  }
}
