import type { Clock } from "../../clock.ts";
import type { FrameOf } from "../../protocol/node/frames.ts";
import type { Agent } from "../../relay/agent.ts";
import { coalesce, type Soon } from "../../relay/coalesce.ts";
import type { NodeRelay, Peers, Ticket } from "../../relay/peers.ts";
import type { Directory } from "../agents/directory.ts";
import type { Link, NodeInfo, Part } from "../part.ts";
import { HeldSlots } from "./held-slots.ts";
import { Introductions } from "./introductions.ts";
import { LentSlots } from "./lent-slots.ts";
import { OwnOffers } from "./own-offers.ts";
import { fits, PeerOffers } from "./peer-offers.ts";
import { Seeking } from "./seeking.ts";

export interface ExchangeOptions {
  link: Link;
  clock: Clock;
  /** Runs something in a later turn of the event loop. */
  soon: Soon;
  /** The relay of this node, which is made after the exchange. */
  relay: () => NodeRelay;
  directory: Pick<Directory, "nodeOf" | "departedAt" | "isTelling">;
  reconnectGraceMs: number;
}

/** The figures of an exchange since the start of the node. */
export interface ExchangeStats {
  /** How many asks of other nodes wait here, and how many slots they hold or use. */
  tickets: number;
  slots: number;
  /** How many asks of this node were sent to slots of others, and how many of them were lost with their nodes. */
  lent: number;
  triesLost: number;
}

/**
 * Exchanges asks with the other nodes: tells them what the agents of this node could do and which asks wait here, takes
 * the same from them, and connects the relays of the two nodes of an ask. See `docs/cluster.md`.
 */
export class Exchange implements Part, Peers {
  readonly #own: OwnOffers;
  readonly #offers: PeerOffers;
  readonly #seeking: Seeking;
  readonly #held: HeldSlots;
  readonly #lent: LentSlots;
  readonly #lookSoon: () => void;
  readonly #introductions: Introductions;

  constructor(private readonly options: ExchangeOptions) {
    const { link, clock, soon, relay, directory, reconnectGraceMs } = options;
    const waiting = () => this.#seeking.size;
    this.#own = new OwnOffers({ link, clock, soon, waiting });
    this.#offers = new PeerOffers({ clock, reconnectGraceMs });
    this.#seeking = new Seeking({ link, clock, offers: this.#offers, directory });
    const groupOf = (agentId: string) => this.#own.keyOf(agentId);
    this.#held = new HeldSlots({ link, clock, relay, groupOf });
    this.#lent = new LentSlots({ link, clock, relay });
    this.#lookSoon = coalesce(soon, () => relay().peersChanged());
    this.#introductions = new Introductions({
      ...{ link, clock, soon, known: this.#lookSoon },
      isTelling: (nodeId) => directory.isTelling(nodeId) || this.#own.isTelling(nodeId),
    });
  }

  /* For the link. */

  readonly frames: Part["frames"] = {
    introduced: (from) => this.#introductions.introduced(from),
    state: (from, frame) => this.#state(from, frame),
    free: (from, { free }) => this.#offers.free(from.id, free),
    agents: (from, { joined }) => {
      for (const [agentId] of joined) this.#seeking.agentAt(agentId, from.id);
    },
    seek: (from, frame) => this.#held.seek(from, frame),
    forget: (from, frame) => this.#held.forget(from, frame),
    run: (from, frame) => this.#held.run(from, frame),
    give: (from, frame) => this.#held.give(from, frame),
    ack: (from, frame) => this.#held.ack(from, frame),
    again: (from, frame) => this.#held.again(from, frame),
    head: (from, frame) => this.#lent.head(from, frame),
    bytes: (from, frame) => this.#sideOf(frame).bytes(from, frame),
    credit: (from, frame) => this.#sideOf(frame).credit(from, frame),
    offer: (from, frame) => this.#lent.offer(from, frame),
    refused: (from, frame) => this.#lent.refused(from, frame),
    accept: (from, frame) => this.#lent.accept(from, frame),
    alive: (from, frame) => this.#lent.alive(from, frame),
    delta: (from, frame) => this.#lent.delta(from, frame),
    done: (from, frame) => this.#lent.done(from, frame),
    fail: (from, frame) => this.#lent.fail(from, frame),
  };

  /** Bytes go both ways. */
  #sideOf({ slot }: { slot: string }): HeldSlots | LentSlots {
    return this.#held.has(slot) ? this.#held : this.#lent;
  }

  joined(node: NodeInfo): void {
    this.#offers.join(node.id);
    this.#held.join(node);
    this.#own.join(node.id);
    this.#introductions.joined(node);
  }

  lost(node: NodeInfo): void {
    this.#own.lose(node.id);
    this.#offers.lose(node.id);
    this.#seeking.lose(node.id);
    this.#held.lose(node);
    this.#lent.lose(node);
    this.#introductions.lost(node);
    this.options.relay().nodeLost(node.id);
    this.#lookSoon();
  }

  stop(): void {
    this.#own.stop();
    this.#introductions.stop();
    this.#seeking.stop();
  }

  #state(from: NodeInfo, frame: FrameOf<"state">): void {
    const more = this.#offers.state(from.id, frame);
    if (more.length > 0) this.#seeking.moreAt(from.id, more);
    this.#lookSoon();
  }

  /* For the relay. */

  agentChanged(agent: Agent, isHere: boolean): void {
    this.#own.changed(agent, isHere);
  }

  seek(ticket: Ticket): void {
    this.#seeking.seek(ticket);
  }

  forget(ticketId: string, isTaken: boolean): void {
    this.#seeking.forget(ticketId, isTaken);
  }

  /** Whether this node has just started, and may not know all agents of the others. */
  get isLearning(): boolean {
    return this.#introductions.leftMs > 0;
  }

  /** This node starts: asks wait until it knows the agents of the others. */
  start(): void {
    this.#introductions.start();
  }

  hopeMs(ticket: Ticket): number {
    return Math.max(this.#knownHopeMs(ticket), this.#introductions.leftMs);
  }

  /** Does the same by what is known. */
  #knownHopeMs(ticket: Ticket): number {
    const { directory, clock, reconnectGraceMs } = this.options;
    if (ticket.pin === undefined) {
      for (const group of this.#offers.fitting(ticket))
        if (this.#hasUsable(ticket, group)) return Number.POSITIVE_INFINITY;
      return ticket.isRepeatable ? this.#offers.returnMs(ticket) : 0;
    }
    const nodeId = directory.nodeOf(ticket.pin);
    if (nodeId !== undefined)
      return this.#offers.groupsOf(nodeId).some((group) => fits(group, ticket))
        ? Number.POSITIVE_INFINITY
        : 0;
    const departedAt = directory.departedAt(ticket.pin);
    return departedAt === undefined ? 0 : departedAt + reconnectGraceMs - clock.now();
  }

  /** Whether the group has an agent that the ask may go to by its earlier tries. */
  #hasUsable(
    { tried, isRepeatable }: Ticket,
    { nodeId, key, agents }: { nodeId: string; key: string; agents: number },
  ): boolean {
    let untried = agents;
    for (const { agentId, isRepeatable: mayRepeat } of tried) {
      const group = this.#lent.groupOf(agentId);
      if (group?.nodeId !== nodeId || group.key !== key) continue;
      if (isRepeatable && mayRepeat) return true;
      untried--;
    }
    return untried > 0;
  }

  canDo(work: Parameters<Peers["canDo"]>[0]): boolean {
    return this.#offers.canDo(work);
  }

  offersModel(model: string, isV1 = false): boolean {
    return this.#offers.offersModel(model, isV1);
  }

  models(tags: readonly (readonly string[])[]) {
    return this.#offers.models(tags);
  }

  isConnected(agentId: string): boolean {
    return this.options.directory.nodeOf(agentId) !== undefined;
  }

  /* For the metrics. */

  stats(): ExchangeStats {
    const { lent, lost: triesLost } = this.#lent;
    return { ...this.#held.size, lent, triesLost };
  }
}
