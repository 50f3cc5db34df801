import type { LocalLease, LocalLimits, UserLimits } from "../../auth/limits/limits.ts";
import type { Cancel, Clock } from "../../clock.ts";
import type { FrameOf } from "../../protocol/node/frames.ts";
import type { Spent } from "../../store/store.ts";
import type { Link } from "../part.ts";
import type { HomeRequests } from "./home-requests.ts";
import { Homes } from "./homes.ts";
import { limitedFields, piecesOf } from "./limit-frames.ts";
import { type LimitHome, windowsFrames } from "./limit-home.ts";
import type { PeriodUse } from "./period-use.ts";

/** A lease that this node has. */
export interface HeldLease {
  /** Its number. */
  n: number;
  user: string;
  own: UserLimits;
  /** The id of the node that counts it. */
  home: string;
  reserved: Spent;
  /** Its part of this node's own counts, which has it if its home is another node. */
  counted: LocalLease | undefined;
}

interface Options {
  link: Link;
  clock: Clock;
  homes: Homes;
  home: LimitHome;
  use: PeriodUse;
  /** Counts what users with other homes do at this node. */
  own: LocalLimits;
  held: ReadonlyMap<number, HeldLease>;
  requests: HomeRequests;
}

/**
 * Moves what is counted when nodes come and go and users get other homes: a home hands over its users' requests, and
 * every node announces the leases that it has. The requests that a lost home counted start again from those that the
 * other nodes know of, their own.
 */
export class LimitMoves {
  /** The homes before the changes that are not dealt with yet. */
  #before: Homes;
  #lost = new Set<string>();
  #cancel: Cancel | undefined;

  constructor(private readonly options: Options) {
    this.#before = new Homes(options.homes.ids());
  }

  joined(node: string): void {
    this.options.homes.add(node);
    this.#settleSoon();
  }

  lost(node: string): void {
    const { homes, home, requests } = this.options;
    homes.delete(node);
    home.lost(node);
    requests.forget(node);
    this.#lost.add(node);
    this.#settleSoon();
  }

  /** Deals with the changes, if there are any. */
  settle(): void {
    if (!this.#cancel) return;
    this.#cancel();
    this.#cancel = undefined;
    const { homes, held, home, use, link, requests } = this.options;
    const { id: self } = link.self;
    const [lost, before] = [this.#lost, this.#before];
    this.#lost = new Set();
    this.#before = new Homes(homes.ids());
    const homeOf = (user: string) => homes.of(user);
    this.move(
      [...held.values()].filter((lease) => lost.has(lease.home) || homeOf(lease.user) !== lease.home),
    );
    for (const { to, frame } of home.handOver(homeOf, self)) link.send(to, frame);
    this.#tellOwn(before);
    use.nodesChanged((user) => homeOf(user) === self);
    requests.askAgain((node) => lost.has(node));
  }

  /** Moves leases to the homes of their users. */
  move(leases: Iterable<HeldLease>): void {
    const { homes, home, own, link } = this.options;
    const { id: self } = link.self;
    const moving = new Map<string, FrameOf<"leases">["leases"]>();
    for (const lease of leases) {
      const { n, user, reserved } = lease;
      if (lease.home === self) home.end(self, n);
      else link.send(lease.home, { kind: "lease_end", lease: n });
      lease.home = homes.of(user);
      if (lease.home === self) {
        home.adopt(self, n, user, lease.own, reserved);
        continue;
      }
      lease.counted ??= own.adopt(user, lease.own);
      const batch = moving.get(lease.home) ?? [];
      batch.push({
        ...{ lease: n, user, limited: limitedFields(lease.own) },
        ...{ reserved: reserved.tokens, reserved_nanos: reserved.costNanos },
      });
      moving.set(lease.home, batch);
    }
    for (const [to, batch] of moving)
      for (const piece of piecesOf(batch, () => 2)) link.send(to, { kind: "leases", leases: piece });
  }

  /** Hands everything over, as this node leaves. */
  leave(): void {
    const { homes, home, link } = this.options;
    this.settle();
    const others = new Homes([...link.nodes.keys()].filter((node) => homes.has(node)));
    if (others.size === 0) return;
    for (const to of others.ids()) link.send(to, { kind: "windows", users: [], leaving: true });
    for (const { to, frame } of home.handOver((user) => others.of(user), link.self.id)) link.send(to, frame);
  }

  /** Tells the homes of users whose earlier home is lost which of their requests this node has let in. */
  #tellOwn(before: Homes): void {
    const { homes, home, own, link } = this.options;
    const { id: self } = link.self;
    const told = new Map<string, { to: string; was: string; users: FrameOf<"windows">["users"] }>();
    for (const user of own.users()) {
      const was = before.of(user);
      if (homes.has(was)) continue;
      const ages_ms = own.requestAges(user);
      if (ages_ms.length === 0) continue;
      const to = homes.of(user);
      const entry = told.get(`${was} ${to}`) ?? { to, was, users: [] };
      entry.users.push({ user, ages_ms });
      told.set(`${was} ${to}`, entry);
    }
    for (const { to, was, users } of told.values())
      for (const frame of windowsFrames(users, was))
        if (to === self) home.addRequests(self, frame);
        else link.send(to, frame);
  }

  /** Waits for the end of the turn, as a node that was lost may be back at once. */
  #settleSoon(): void {
    this.#cancel ??= this.options.clock.after(0, () => this.settle());
  }
}
