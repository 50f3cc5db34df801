import { type Principal, userIdOf } from "../../principal.ts";
import { Heap, type HeapItem } from "./heap.ts";
import { PRIORITIES, type Priority, TURNS } from "./priority.ts";

/** The part of an ask that decides when its turn is. */
export interface Waiting {
  readonly principal: Principal;
  readonly priority: Priority;
  /** Its number in the order of arrival. */
  readonly order: number;
}

type User = string | null;

/** The asks of one user and one class. */
class Flow<Item extends Waiting> implements HeapItem {
  heapIndex = -1;
  readonly items: Item[] = [];
  /** The virtual time up to which it has had its turns. */
  passed = 0;
  /** The virtual time at which its next ask would have been served, if each had a share of its own. */
  tag = 0;
  /** When its first ask began to wait, as a number in the order of arrival. */
  order = 0;

  constructor(
    readonly user: User,
    readonly priority: Priority,
  ) {}
}

/** Flows that wait for nothing are forgotten once there are this many. */
const IDLE_MAX = 1_000;

/**
 * The asks that wait for the same agents. First in, first out for each user and class. Users take turns: one who
 * sends a thousand asks delays another's first by one ask, not by a thousand. While they wait, a user with asks of
 * a higher class has more turns, in proportion to `TURNS`. This is weighted fair queuing with virtual time
 * (Golestani, "A Self-Clocked Fair Queueing Scheme", 1994).
 */
export class Turns<Item extends Waiting> {
  readonly #flows = new Map<User, Map<Priority, Flow<Item>>>();
  readonly #order = new Heap<Flow<Item>>(isBefore);
  #now = 0;
  #arrivals = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Whether asks of the user wait. */
  has(user: User): boolean {
    for (const { items } of this.#flows.get(user)?.values() ?? []) if (items.length > 0) return true;
    return false;
  }

  /** Adds an ask at the end of its user's, or `isAgain` among them by its age, as its turn came to nothing. */
  push(item: Item, isAgain = false): void {
    const flow = this.#flowOf(item);
    const later = isAgain ? flow.items.findIndex(({ order }) => order > item.order) : -1;
    if (isAgain) flow.passed -= this.#costOf(flow);
    this.#insert(item, flow, later < 0 ? flow.items.length : later);
  }

  /** Adds an ask among those of its user by its age, as it began to wait elsewhere. */
  pushByAge(item: Item): void {
    const flow = this.#flowOf(item);
    this.#insert(item, flow, flow.items.findLastIndex(({ order }) => order <= item.order) + 1);
  }

  #insert(item: Item, flow: Flow<Item>, index: number): void {
    flow.items.splice(index, 0, item);
    this.#size++;
    if (flow.items.length > 1) return;
    flow.order = ++this.#arrivals;
    this.#schedule(flow);
  }

  /** Returns false if the ask does not wait here. */
  remove(item: Item): boolean {
    const flow = this.#flows.get(userIdOf(item.principal))?.get(item.priority);
    const index = flow?.items.indexOf(item) ?? -1;
    if (!flow || index < 0) return false;
    flow.items.splice(index, 1);
    this.#size--;
    if (flow.items.length === 0) this.#order.delete(flow);
    this.#tidy();
    return true;
  }

  /** Returns the ask whose turn it is; undefined if none waits. */
  get first(): Item | undefined {
    return this.#order.first?.items[0];
  }

  /**
   * Takes out the first ask that fits, of the first user in turn who has one, and ends the turn. An ask that does
   * not fit holds up no other, not even the later ones of its own user. With `user`, only theirs are looked at.
   */
  take(fits: (item: Item) => boolean, user?: { id: User }): Item | undefined {
    const isOf = (flow: Flow<Item>) => user === undefined || flow.user === user.id;
    const flow = this.#order.find((candidate) => isOf(candidate) && candidate.items.some(fits));
    return flow && this.#takeFrom(flow, flow.items.findIndex(fits));
  }

  /** Takes out this ask, and ends its user's turn. Returns false if it does not wait here. */
  takeOut(item: Item): boolean {
    const flow = this.#flows.get(userIdOf(item.principal))?.get(item.priority);
    const index = flow?.items.indexOf(item) ?? -1;
    return flow !== undefined && index >= 0 && this.#takeFrom(flow, index) !== undefined;
  }

  #takeFrom(flow: Flow<Item>, index: number): Item | undefined {
    const [item] = flow.items.splice(index, 1);
    this.#size--;
    flow.passed = flow.tag;
    this.#now = Math.max(this.#now, flow.tag - this.#costOf(flow));
    if (flow.items.length > 0) this.#schedule(flow);
    else this.#order.delete(flow);
    this.#tidy();
    return item;
  }

  /** Yields the first ask of each user and class. */
  *firsts(): Generator<Item> {
    for (const { items } of this.#order) if (items[0]) yield items[0];
  }

  /** Iterates over a copy, so that changes do not disturb the loop. */
  items(): Item[] {
    return Array.from(this.#order, ({ items }) => items).flat();
  }

  /** Returns about how many asks have their turn before this one. */
  before(item: Item): number {
    const own = this.#flows.get(userIdOf(item.principal))?.get(item.priority);
    const index = own?.items.indexOf(item) ?? -1;
    if (!own || index < 0) return 0;
    const until = own.tag + index * this.#costOf(own);
    let count = index;
    for (const flow of this.#order) {
      const turns = (until - flow.tag) / this.#costOf(flow);
      if (flow === own || turns < 0) continue;
      // Of two with equal tags, the one that arrived first has its turn first.
      count += Math.min(flow.items.length, flow.order < own.order ? Math.floor(turns) + 1 : Math.ceil(turns));
    }
    return count;
  }

  /** Returns about how many of these asks have their turn before one that waits elsewhere, the `nth` of its user. */
  beforeOther({ priority, order }: Waiting, nth: number): number {
    let count = 0;
    for (const flow of this.#order) {
      const turns = Math.ceil((nth * TURNS[flow.priority]) / TURNS[priority]);
      const later = flow.items.findIndex((item) => item.order > order);
      count += Math.min(later < 0 ? flow.items.length : later, turns);
    }
    return count;
  }

  /** Returns the place of the ask among those of its user and class, from 1 on; 0 if it does not wait here. */
  placeOf(item: Item): number {
    return (this.#flows.get(userIdOf(item.principal))?.get(item.priority)?.items.indexOf(item) ?? -1) + 1;
  }

  #flowOf({ principal, priority }: Item): Flow<Item> {
    const user = userIdOf(principal);
    const flows = this.#flows.getOrInsertComputed(user, () => new Map());
    return flows.getOrInsertComputed(priority, () => new Flow<Item>(user, priority));
  }

  #schedule(flow: Flow<Item>): void {
    flow.tag = Math.max(this.#now, flow.passed) + this.#costOf(flow);
    this.#order.set(flow);
  }

  /** A user with asks of several classes shares the turns of the highest among them. */
  #costOf({ user, priority }: Flow<Item>): number {
    const flows = this.#flows.get(user);
    if (!flows || flows.size === 1) return 1 / TURNS[priority];
    let highest = 0;
    let sum = 0;
    for (const each of PRIORITIES) {
      if (!flows.get(each)?.items.length && each !== priority) continue;
      highest = Math.max(highest, TURNS[each]);
      sum += TURNS[each];
    }
    return sum / (TURNS[priority] * highest);
  }

  /** Forgets what the flows have had, once it does not matter. */
  #tidy(): void {
    if (this.#size === 0) {
      this.#flows.clear();
      this.#now = 0;
    } else if (this.#flows.size > 2 * this.#order.size + IDLE_MAX) {
      for (const [user, flows] of this.#flows) {
        const isOver = [...flows.values()].every(
          ({ items, passed }) => items.length === 0 && passed <= this.#now,
        );
        if (isOver) this.#flows.delete(user);
      }
    }
  }
}

function isBefore(one: Flow<Waiting>, other: Flow<Waiting>): boolean {
  return one.tag === other.tag ? one.order < other.order : one.tag < other.tag;
}
