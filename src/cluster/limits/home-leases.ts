import type { LocalLease } from "../../auth/limits/limits.ts";

/** A lease of a node; undefined while it is being decided. */
interface Held {
  user: string;
  lease: LocalLease | undefined;
}

/** A lease that is being decided. */
export interface OpenLease {
  /** Whether its node still wants it. */
  isWanted: () => boolean;
  forget: () => void;
}

/** The leases that nodes have of users whose home this node is, by the nodes and by their numbers. */
export class HomeLeases {
  readonly #byNode = new Map<string, Map<number, Held>>();
  /** The number of leases of each user by the nodes that have them. */
  readonly #byUser = new Map<string, Map<string, number>>();

  /** The number of leases of all nodes. */
  get size(): number {
    return this.#byNode.values().reduce((sum, { size }) => sum + size, 0);
  }

  /** The number of leases of the node. */
  sizeOf(node: string): number {
    return this.#byNode.get(node)?.size ?? 0;
  }

  has(node: string, number: number): boolean {
    return this.#byNode.get(node)?.has(number) === true;
  }

  /** Returns undefined if there is no such lease, or it is not decided yet. */
  get(node: string, number: number): LocalLease | undefined {
    return this.#byNode.get(node)?.get(number)?.lease;
  }

  set(node: string, number: number, user: string, lease: LocalLease): void {
    this.#ofNode(node).set(number, { user, lease });
    this.#count(node, user, 1);
  }

  /** Notes a lease that will be decided later, so that the node can end it until then. */
  open(node: string, number: number, user: string): OpenLease {
    const leases = this.#ofNode(node);
    const held: Held = { user, lease: undefined };
    leases.set(number, held);
    const isWanted = () => leases.get(number) === held;
    return { isWanted, forget: () => void (isWanted() && leases.delete(number)) };
  }

  /** Ends a lease. Returns its user; undefined if there is no such lease. */
  end(node: string, number: number): string | undefined {
    const leases = this.#byNode.get(node);
    const held = leases?.get(number);
    leases?.delete(number);
    if (!held?.lease) return undefined;
    held.lease.end();
    this.#count(node, held.user, -1);
    return held.user;
  }

  /** Ends all leases of a node. Returns their users. */
  endAll(node: string): Set<string> {
    const leases = this.#byNode.get(node);
    const users = new Set<string>();
    for (const number of [...(leases?.keys() ?? [])]) {
      const user = this.end(node, number);
      if (user !== undefined) users.add(user);
    }
    this.#byNode.delete(node);
    return users;
  }

  /** Whether a node has a lease of the user, besides these nodes. */
  isElsewhere(user: string, nodes: readonly string[]): boolean {
    return (
      this.#byUser
        .get(user)
        ?.keys()
        .some((node) => !nodes.includes(node)) === true
    );
  }

  #ofNode(node: string): Map<number, Held> {
    const known = this.#byNode.get(node) ?? new Map<number, Held>();
    this.#byNode.set(node, known);
    return known;
  }

  #count(node: string, user: string, change: 1 | -1): void {
    const counts = this.#byUser.get(user) ?? new Map<string, number>();
    const count = (counts.get(node) ?? 0) + change;
    if (count > 0) counts.set(node, count);
    else counts.delete(node);
    if (counts.size > 0) this.#byUser.set(user, counts);
    else this.#byUser.delete(user);
  }
}
