import { limitError, RUNNING_RETRY_MS } from "../../auth/limits/limit-error.ts";
import type { LocalLimits, UserLimits } from "../../auth/limits/limits.ts";
import { hasBudget } from "../../auth/limits/user-budgets.ts";
import { BoundedMap } from "../../bounded-map.ts";
import type { Clock } from "../../clock.ts";
import { MINUTE_MS } from "../../durations.ts";
import { userPrincipal } from "../../principal.ts";
import type { FrameOf } from "../../protocol/node/frames.ts";
import type { Spent } from "../../store/store.ts";
import { HomeLeases } from "./home-leases.ts";
import { limitsOf, piecesOf } from "./limit-frames.ts";
import type { PeriodUse } from "./period-use.ts";
import { isFull, PlaceQueue } from "./place-queue.ts";

type Windows = FrameOf<"windows">;

/** Bounds what other nodes make this one keep: leases each, users in all, and ages of requests a minute. */
const LEASES_MAX = 100_000;
const USERS_MAX = 200_000;
const AGES_MAX = 2_000_000;
/** The nodes that have left and are remembered. */
const LEFT_MAX = 64;

interface LimitHomeOptions {
  /** The id of this node. */
  self: string;
  homeOf: (user: string) => string;
  clock: Clock;
  limits: LocalLimits;
  use: PeriodUse;
  elapsedMs: () => number;
}

/** A lease that a node asks for, with its number, for a user with these limits. */
interface Asked {
  node: string;
  lease: number;
  user: string;
  own: UserLimits;
}

/**
 * The limits of the users whose home this node is. A lease belongs to the node that got it, which chose its number, and
 * ends with that node at the latest.
 */
export class LimitHome {
  readonly #leases = new HomeLeases();
  readonly #places: PlaceQueue;
  /**
   * The users whose requests were handed to a newer home. They are kept here too, for nodes that do not know that home
   * yet, until that home hands back what it has.
   */
  #handedTo = new BoundedMap<string, { home: string; at: number }>(USERS_MAX);
  /** The nodes that handed over the requests of their users as they left. */
  #left = new BoundedMap<string, true>(LEFT_MAX);
  #ages = { since: 0, count: 0 };

  constructor(private readonly options: LimitHomeOptions) {
    this.#places = new PlaceQueue(options.clock);
  }

  /**
   * Admits an ask of a node, or throws or rejects with an `AppError` as the limits do. Returns a promise only where the
   * user's use of budgets must be read first, or where a third node may just have ended an ask whose place it needs.
   */
  admit(node: string, lease: number, user: string, own: UserLimits): void | Promise<void> {
    const leases = this.#leases;
    if (leases.has(node, lease)) return;
    if (leases.sizeOf(node) >= LEASES_MAX)
      throw limitError("limit_parallel", "Too many requests run.", RUNNING_RETRY_MS);
    const reading = hasBudget(own) ? this.options.use.know(user, own.budgetMonthMicros !== null) : undefined;
    const asked = { node, lease, user, own };
    if (!reading) return this.#grant(asked);
    const open = leases.open(node, lease, user);
    return reading.then(() => {
      if (!open.isWanted()) return;
      open.forget();
      return this.#grant(asked);
    });
  }

  #grant(asked: Asked): void | Promise<void> {
    const { node, user } = asked;
    try {
      this.#admitAtOnce(asked);
    } catch (refusal) {
      // A node tells of the ends of its own asks before it asks again, and this one knows its own at once.
      const mayHaveEnded = isFull(refusal) && this.#leases.isElsewhere(user, [this.options.self, node]);
      const waiting = mayHaveEnded ? this.#waitForPlace(asked, refusal) : undefined;
      if (!waiting) throw refusal;
      return waiting;
    }
  }

  #admitAtOnce({ node, lease, user, own }: Asked): void {
    this.#leases.set(node, lease, user, this.options.limits.admit(userPrincipal(user), own));
  }

  /** Returns undefined if too many wait. */
  #waitForPlace(asked: Asked, refusal: unknown): Promise<void> | undefined {
    const { node, lease, user } = asked;
    const { self, homeOf } = this.options;
    const waiting = this.#places.wait(user, refusal, () => {
      if (!open.isWanted()) return;
      // The place is not free where its ask has only moved to another home.
      if (homeOf(user) !== self) throw refusal;
      this.#admitAtOnce(asked);
    });
    if (!waiting) return undefined;
    const open = this.#leases.open(node, lease, user);
    return waiting.finally(open.forget);
  }

  /**
   * Reserves for a lease, or throws or rejects with an `AppError` as `Lease.reserve` does. A lease that is not there, or
   * not yet, reserves nothing.
   */
  reserve(node: string, lease: number, user: string, spent: Spent): void | Promise<void> {
    const add = () => {
      this.#leases.get(node, lease)?.reserve(() => spent);
    };
    // Long asks may outlive what is remembered of their users.
    const reading = this.options.use.know(user);
    return reading instanceof Promise ? reading.then(add) : add();
  }

  end(node: string, lease: number): void {
    const user = this.#leases.end(node, lease);
    if (user !== undefined) this.#places.freed(user);
  }

  /** Takes over a lease that the node got from another home. */
  adopt(node: string, lease: number, user: string, own: UserLimits, reserved: Spent): void {
    const leases = this.#leases;
    if (leases.has(node, lease) || leases.sizeOf(node) >= LEASES_MAX) return;
    leases.set(node, lease, user, this.options.limits.adopt(user, own, { reserved }));
  }

  adoptAll(node: string, { leases }: FrameOf<"leases">): void {
    for (const { lease, user, limited, reserved: tokens, reserved_nanos: costNanos = 0 } of leases) {
      if (this.options.limits.usersKnown < USERS_MAX)
        this.adopt(node, lease, user, limitsOf(limited), { tokens, costNanos });
    }
  }

  /** Ends the leases of a node that is lost. */
  lost(node: string): void {
    for (const user of this.#leases.endAll(node)) this.#places.freed(user);
  }

  /** The number of leases that nodes hold. */
  get leases(): number {
    return this.#leases.size;
  }

  /** Adds requests that were counted elsewhere. */
  addRequests(from: string, { users, was, leaving }: Omit<Windows, "kind">): void {
    const { limits } = this.options;
    if (leaving) this.#left.set(from, true);
    // That home has told more than its nodes know.
    if (was !== undefined && this.#left.has(was)) return;
    for (const { user, ages_ms } of users) {
      const ages = ages_ms.filter((age) => age < MINUTE_MS);
      if (!this.#mayAdd(ages.length) || limits.usersKnown >= USERS_MAX) return;
      if (this.#handedTo.get(user)?.home === from) {
        limits.forgetRequests(user);
        this.#handedTo.delete(user);
      }
      limits.addRequests(user, ages);
    }
  }

  /** Returns the frames that hand the requests of users to their homes, if those are other nodes. */
  handOver(homeOf: (user: string) => string, self: string): { to: string; frame: Windows }[] {
    const { limits, elapsedMs } = this.options;
    const at = elapsedMs();
    for (const [user, handed] of this.#handedTo)
      if (homeOf(user) === self || handed.at <= at - MINUTE_MS) this.#handedTo.delete(user);
    const moving = new Map<string, Windows["users"]>();
    for (const user of limits.users()) {
      const home = homeOf(user);
      if (home === self || this.#handedTo.has(user)) continue;
      const ages_ms = limits.requestAges(user);
      if (ages_ms.length === 0) continue;
      this.#handedTo.set(user, { home, at });
      const users = moving.get(home) ?? [];
      users.push({ user, ages_ms });
      moving.set(home, users);
    }
    return [...moving].flatMap(([to, users]) => windowsFrames(users).map((frame) => ({ to, frame })));
  }

  #mayAdd(count: number): boolean {
    const now = this.options.elapsedMs();
    if (now - this.#ages.since > MINUTE_MS) this.#ages = { since: now, count: 0 };
    this.#ages.count += count;
    return this.#ages.count <= AGES_MAX;
  }
}

/** Returns the frames for the requests of these users. */
export function windowsFrames(users: Windows["users"], was?: string): Windows[] {
  const frames = [...piecesOf(users, ({ ages_ms }) => ages_ms.length + 1)];
  return frames.map((piece) => ({ kind: "windows", users: piece, ...(was !== undefined && { was }) }));
}
