import { limitError, RUNNING_RETRY_MS } from "../../auth/limit-error.ts";
import type { LocalLease, LocalLimits, UserLimits } from "../../auth/limits.ts";
import { BoundedMap } from "../../bounded-map.ts";
import { userPrincipal } from "../../principal.ts";
import type { FrameOf } from "../../protocol/node/frames.ts";
import { MINUTE_MS } from "../../time.ts";
import type { DayTokens } from "./day-tokens.ts";
import { limitsOf, piecesOf } from "./limit-frames.ts";

type Windows = FrameOf<"windows">;

/** Bounds what other nodes make this one keep: leases each, users in all, and ages of requests a minute. */
const LEASES_MAX = 100_000;
const USERS_MAX = 200_000;
const AGES_MAX = 2_000_000;
/** The nodes that have left and are remembered. */
const LEFT_MAX = 64;

/** A lease whose user's tokens of the day are being read. */
const READING = Symbol("reading");

interface LimitHomeOptions {
  limits: LocalLimits;
  days: DayTokens;
  elapsedMs: () => number;
}

/**
 * The limits of the users whose home this node is. A lease belongs to the node that got it, which chose its number, and
 * ends with that node at the latest.
 */
export class LimitHome {
  #leases = new Map<string, Map<number, LocalLease | typeof READING>>();
  /**
   * The users whose requests were handed to a newer home. They are kept here too, for nodes that do not know that home
   * yet, until that home hands back what it has.
   */
  #handedTo = new BoundedMap<string, { home: string; at: number }>(USERS_MAX);
  /** The nodes that handed over the requests of their users as they left. */
  #left = new BoundedMap<string, true>(LEFT_MAX);
  #ages = { since: 0, count: 0 };

  constructor(private readonly options: LimitHomeOptions) {}

  /**
   * Admits an ask of a node, or throws or rejects with an `AppError` as the limits do. Returns a promise only where the
   * user's tokens of the day must be read first.
   */
  admit(node: string, lease: number, user: string, own: UserLimits): void | Promise<void> {
    const { limits, days } = this.options;
    const leases = this.#leasesOf(node);
    if (leases.has(lease)) return;
    if (leases.size >= LEASES_MAX)
      throw limitError("limit_parallel", "Too many requests run.", RUNNING_RETRY_MS);
    const reading = own.tokensPerDay === null ? undefined : days.know(user);
    if (!reading) {
      leases.set(lease, limits.admit(userPrincipal(user), own));
      return;
    }
    leases.set(lease, READING);
    return reading.then(() => {
      if (leases.get(lease) !== READING) return;
      leases.delete(lease);
      leases.set(lease, limits.admit(userPrincipal(user), own));
    });
  }

  /**
   * Reserves tokens of a lease, or throws or rejects with an `AppError` limit_tokens. A lease that is not there, or not
   * yet, reserves nothing.
   */
  reserve(node: string, lease: number, user: string, tokens: number): void | Promise<void> {
    const add = () => {
      const held = this.#leases.get(node)?.get(lease);
      if (held !== undefined && held !== READING) held.reserve(() => tokens);
    };
    // Long asks may outlive what is remembered of their users.
    const reading = this.options.days.know(user);
    return reading instanceof Promise ? reading.then(add) : add();
  }

  end(node: string, lease: number): void {
    const leases = this.#leases.get(node);
    const held = leases?.get(lease);
    leases?.delete(lease);
    if (held !== undefined && held !== READING) held.end();
  }

  /** Takes over a lease that the node got from another home. */
  adopt(node: string, lease: number, user: string, own: UserLimits, reserved: number): void {
    const leases = this.#leasesOf(node);
    if (leases.has(lease) || leases.size >= LEASES_MAX) return;
    leases.set(lease, this.options.limits.adopt(user, own, { reserved }));
  }

  adoptAll(node: string, { leases }: FrameOf<"leases">): void {
    for (const { lease, user, limited, reserved } of leases) {
      if (this.options.limits.usersKnown < USERS_MAX)
        this.adopt(node, lease, user, limitsOf(limited), reserved);
    }
  }

  /** Ends the leases of a node that is lost. */
  lost(node: string): void {
    const leases = this.#leases.get(node);
    this.#leases.delete(node);
    for (const lease of leases?.values() ?? []) if (lease !== READING) lease.end();
    // What is being read must not become a lease.
    leases?.clear();
  }

  /** The number of leases that nodes hold. */
  get leases(): number {
    return this.#leases.values().reduce((sum, { size }) => sum + size, 0);
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

  #leasesOf(node: string) {
    const known = this.#leases.get(node) ?? new Map<number, LocalLease | typeof READING>();
    this.#leases.set(node, known);
    return known;
  }
}

/** Returns the frames for the requests of these users. */
export function windowsFrames(users: Windows["users"], was?: string): Windows[] {
  const frames = [...piecesOf(users, ({ ages_ms }) => ages_ms.length + 1)];
  return frames.map((piece) => ({ kind: "windows", users: piece, ...(was !== undefined && { was }) }));
}
