import type { Cancel, Clock } from "../../clock.ts";
import type { Ticket } from "../../relay/peers.ts";
import type { Directory } from "../agents/directory.ts";
import type { Link } from "../part.ts";
import { fits, type PeerGroup, type PeerOffers } from "./peer-offers.ts";
import { ticketFields } from "./ticket-fields.ts";

interface SeekingOptions {
  link: Pick<Link, "nodes" | "send" | "sendAll">;
  clock: Clock;
  offers: PeerOffers;
  directory: Pick<Directory, "nodeOf">;
}

/** The node that an ask is first sought at has this long alone. */
const ALONE_MS = 20;

/** From so many nodes on, one frame to all takes less than one to each. */
const ALL_MIN = 3;

/** More groups times asks than this are not compared: the node gets all asks. */
const CHECKS_MAX = 200_000;

interface Sought {
  ticket: Ticket;
  /** When it began to wait here, in milliseconds since 1970. */
  at: number;
  /** The nodes that were sent it alone, and those that were sent it with all others. */
  alone: Set<string>;
  together: Set<string>;
  /** Whether it may go to every node that could serve it. */
  isWide: boolean;
}

/** The waiting asks of this node: seeks each at the nodes that could serve it, and at one of them first. */
export class Seeking {
  readonly #sought = new Map<string, Sought>();
  /** The ids of those that wait for one agent, by that agent. */
  readonly #pinned = new Map<string, Set<string>>();
  /** Those that are sought at one node only, and until when. The oldest first. */
  readonly #alone = new Map<string, number>();
  #stopTimer: Cancel | undefined;

  constructor(private readonly options: SeekingOptions) {}

  /** How many wait. */
  get size(): number {
    return this.#sought.size;
  }

  seek(ticket: Ticket): void {
    const now = this.options.clock.now();
    const sought: Sought = { ticket, at: now, alone: new Set(), together: new Set(), isWide: false };
    this.#sought.set(ticket.id, sought);
    if (ticket.pin !== undefined) {
      this.#pinned.getOrInsertComputed(ticket.pin, () => new Set()).add(ticket.id);
      const nodeId = this.options.directory.nodeOf(ticket.pin);
      if (nodeId !== undefined) this.#send(sought, nodeId);
      return;
    }
    const first = this.#first(ticket);
    if (first === undefined) {
      this.#widen(sought);
      return;
    }
    this.#send(sought, first);
    if (this.options.link.nodes.size === 1) sought.isWide = true;
    else this.#widenLater(ticket.id, now);
  }

  forget(id: string, taken: boolean): void {
    const sought = this.#sought.get(id);
    if (!sought) return;
    this.#remove(sought);
    const { link } = this.options;
    const frame = { kind: "forget", ticket: id, taken } as const;
    // Frames to all have no order with those to one node: a node must not hear this one first.
    for (const nodeId of sought.alone) link.send(nodeId, frame);
    if (sought.together.size > 0) link.sendAll(frame);
  }

  /** The node has these groups, which it did not have before: asks may be sought there that were not. */
  moreAt(nodeId: string, groups: readonly PeerGroup[]): void {
    const isLong = groups.length * this.#sought.size > CHECKS_MAX;
    for (const sought of this.#sought.values()) {
      if (!sought.isWide || isKnownAt(sought, nodeId)) continue;
      if (isLong || groups.some((group) => fits(group, sought.ticket))) this.#send(sought, nodeId);
    }
  }

  /** An agent has registered at the node. */
  agentAt(agentId: string, nodeId: string): void {
    for (const id of this.#pinned.get(agentId) ?? []) {
      const sought = this.#sought.get(id);
      if (sought && !isKnownAt(sought, nodeId)) this.#send(sought, nodeId);
    }
  }

  /** The node is lost: it knows none of the asks any more. */
  lose(nodeId: string): void {
    for (const { alone, together } of this.#sought.values()) {
      alone.delete(nodeId);
      together.delete(nodeId);
    }
  }

  stop(): void {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
  }

  #remove({ ticket: { id, pin } }: Sought): void {
    this.#sought.delete(id);
    this.#alone.delete(id);
    if (this.#alone.size === 0) this.stop();
    const those = pin === undefined ? undefined : this.#pinned.get(pin);
    those?.delete(id);
    if (pin !== undefined && those?.size === 0) this.#pinned.delete(pin);
  }

  /**
   * Returns the node with the preferred agent, or else the one with the largest share of free slots that fit; undefined
   * if none has a free one. A node that is draining comes later. What the ask may take there counts as taken until the
   * node tells.
   */
  #first(ticket: Ticket): string | undefined {
    const { directory, offers, link } = this.options;
    const preferred = ticket.prefer === undefined ? undefined : directory.nodeOf(ticket.prefer);
    if (preferred !== undefined && link.nodes.has(preferred)) return preferred;
    let best: { nodeId: string; share: number; group: PeerGroup | undefined } | undefined;
    for (const { nodeId, slots, free, group } of offers.roomFor(ticket)) {
      const share = free / slots;
      if (share > (best?.share ?? 0) && !link.nodes.get(nodeId)?.draining) best = { nodeId, share, group };
    }
    if (best?.group) best.group.free--;
    return best?.nodeId;
  }

  #widenLater(id: string, now: number): void {
    this.#alone.set(id, now + ALONE_MS);
    this.#stopTimer ??= this.options.clock.after(ALONE_MS, () => this.#widenDue());
  }

  #widenDue(): void {
    this.#stopTimer = undefined;
    const { clock } = this.options;
    for (const [id, due] of this.#alone) {
      const leftMs = due - clock.now();
      if (leftMs > 0) {
        this.#stopTimer = clock.after(leftMs, () => this.#widenDue());
        return;
      }
      this.#alone.delete(id);
      const sought = this.#sought.get(id);
      if (sought) this.#widen(sought);
    }
  }

  /** Seeks the ask at all nodes that could serve it. */
  #widen(sought: Sought): void {
    const { offers, link } = this.options;
    sought.isWide = true;
    const nodeIds = [...offers.nodesFor(sought.ticket)].filter((nodeId) => !isKnownAt(sought, nodeId));
    if (nodeIds.length < ALL_MIN || nodeIds.length + sought.alone.size < link.nodes.size) {
      for (const nodeId of nodeIds) this.#send(sought, nodeId);
      return;
    }
    const ticket = this.#fields(sought);
    if (!ticket) return;
    sought.together = new Set(link.nodes.keys());
    link.sendAll({ kind: "seek", ticket });
  }

  #send(sought: Sought, nodeId: string): void {
    const ticket = this.options.link.nodes.has(nodeId) ? this.#fields(sought) : undefined;
    if (!ticket) return;
    sought.alone.add(nodeId);
    this.options.link.send(nodeId, { kind: "seek", ticket });
  }

  #fields({ ticket, at }: Sought) {
    return ticketFields({ ...ticket, waitedMs: ticket.waitedMs + this.options.clock.now() - at });
  }
}

const isKnownAt = ({ alone, together }: Sought, nodeId: string): boolean =>
  alone.has(nodeId) || together.has(nodeId);
