import {
  createLimits,
  hasLimit,
  type Lease,
  type Limits,
  type LocalLease,
  type LocalLimits,
  type Standings,
  standingsOf,
  UNLIMITED,
  type UserLimits,
} from "../../auth/limits/limits.ts";
import { hasBudget, NOTHING, sumOf } from "../../auth/limits/user-budgets.ts";
import { BoundedMap } from "../../bounded-map.ts";
import type { Clock } from "../../clock.ts";
import { MINUTE_MS } from "../../durations.ts";
import type { Log } from "../../log/log.ts";
import { once } from "../../once.ts";
import { type Principal, userPrincipal } from "../../principal.ts";
import type { Spent, UsageStore } from "../../store/store.ts";
import type { Link, NodeInfo, Part } from "../part.ts";
import { HomeAnswers } from "./home-answers.ts";
import { type Answered, type HomeRequest, HomeRequests } from "./home-requests.ts";
import { Homes } from "./homes.ts";
import { countsOf, limitedFields, refusalOf, shareOf } from "./limit-frames.ts";
import { LimitHome } from "./limit-home.ts";
import { type HeldLease, LimitMoves } from "./limit-moves.ts";
import { PeriodUse } from "./period-use.ts";
import { ToldCounts } from "./told-counts.ts";

export interface SharedLimitsOptions {
  link: Link;
  clock: Clock;
  /** Milliseconds of a monotonic clock. */
  elapsedMs: () => number;
  usage: Pick<UsageStore, "spentByUsers" | "costOfUsers">;
  /** The currency, by its code of ISO 4217; null without prices. */
  currency?: () => string | null;
  log: Pick<Log, "warn">;
}

/** The users whose use their homes want to know: those that had a budget at this node. */
const BUDGET_USERS_MAX = 100_000;

/**
 * The limits of a cluster. Each user has a home, the node that counts what they do at all nodes. Users without limits
 * ask nobody, and where this node is the home nothing waits, but for the first read of what a user has used.
 *
 * While a home does not answer, this node decides by its own counts, with its share of each limit.
 */
export class SharedLimits implements Limits {
  readonly part: Part;
  readonly #self: string;
  /** Counts the users whose home this node is. */
  readonly #atHome: LocalLimits;
  /** Counts what users with other homes do at this node. */
  readonly #own: LocalLimits;
  readonly #use: PeriodUse;
  readonly #home: LimitHome;
  readonly #homes: Homes;
  readonly #requests: HomeRequests;
  readonly #moves: LimitMoves;
  readonly #told: ToldCounts;
  readonly #held = new Map<number, HeldLease>();
  readonly #budgetUsers = new BoundedMap<string, true>(BUDGET_USERS_MAX);
  #numbers = 0;
  #unasked = 0;
  #logged = { at: -Infinity, unasked: 0 };

  constructor(private readonly options: SharedLimitsOptions) {
    const { link, clock, elapsedMs, usage, log, currency } = options;
    const { now } = clock;
    this.#self = link.self.id;
    this.#atHome = createLimits({ now, elapsedMs, currency });
    this.#own = createLimits({ now, elapsedMs, currency });
    this.#use = new PeriodUse({ limits: this.#atHome, usage, clock, log });
    this.#homes = new Homes([this.#self, ...link.nodes.keys()]);
    this.#told = new ToldCounts(elapsedMs);
    const homeOf = (user: string) => this.#homes.of(user);
    this.#home = new LimitHome({
      ...{ self: this.#self, homeOf, clock, elapsedMs },
      ...{ limits: this.#atHome, use: this.#use },
    });
    const send = (home: string, frame: HomeRequest) =>
      home === this.#self ? answers.answer(home, frame) : link.send(home, frame);
    this.#requests = new HomeRequests({ clock, homeOf, send });
    this.#moves = new LimitMoves({
      ...{ link, clock, homes: this.#homes, home: this.#home, use: this.#use, own: this.#own },
      ...{ held: this.#held, requests: this.#requests },
    });
    const answers = new HomeAnswers({
      ...{ link, limits: this.#atHome, home: this.#home, use: this.#use, homeOf },
      answerSelf: (answer) => this.#requests.answered(this.#self, answer),
    });
    this.part = this.#createPart((from, frame) => answers.answer(from.id, frame));
  }

  /** The asks that were decided without their home. */
  get unasked(): number {
    return this.#unasked;
  }

  /** The leases that nodes have of users whose home this node is. */
  get leases(): number {
    return this.#home.leases;
  }

  /** The leases that this node has. */
  get held(): number {
    return this.#held.size;
  }

  /** The requests to homes that have no answer yet. */
  get waiting(): number {
    return this.#requests.size;
  }

  /** Returns the id of the user's home. */
  homeOf(user: string): string {
    return this.#homes.of(user);
  }

  admit(principal: Principal, own: UserLimits | null): Lease | Promise<Lease> {
    if (principal.kind === "admin" || own === null || !hasLimit(own)) return UNLIMITED;
    this.#moves.settle();
    const user = principal.id;
    if (hasBudget(own)) this.#budgetUsers.set(user, true);
    if (this.#homes.of(user) !== this.#self) return this.#admitAway(user, own);
    const n = this.#numbers++;
    const reading = this.#home.admit(this.#self, n, user, own);
    if (!(reading instanceof Promise)) return this.#hold(n, user, own, this.#self);
    return reading.then(() => this.#hold(n, user, own, this.#self));
  }

  countSpent(principal: Principal, spent: Spent, at: number, endedAt: number): void {
    if (principal.kind === "admin" || !this.#budgetUsers.has(principal.id)) return;
    const { tokens: count, costNanos: cost_nanos } = spent;
    if (count <= 0 && cost_nanos <= 0) return;
    const user = principal.id;
    this.#own.countSpent(principal, spent, at);
    const home = this.#homes.of(user);
    if (home === this.#self) {
      this.#use.add(user, { ...spent, at, endedAt });
      return;
    }
    this.#told.add(user, spent);
    this.options.link.send(home, { kind: "tokens", user, count, cost_nanos, at, ended_at: endedAt });
  }

  standing(user: string, own: UserLimits): Standings {
    if (this.#homes.of(user) === this.#self) return this.#atHome.standing(user, own);
    return standingsOf(this.#told.get(user) ?? this.#own.counts(user), own);
  }

  refresh(user: string, own: UserLimits): Promise<void> | undefined {
    if (!hasLimit(own)) return undefined;
    const [tokens, month] = [hasBudget(own), own.budgetMonthMicros !== null];
    if (this.#homes.of(user) === this.#self) return tokens ? this.#use.know(user, month) : undefined;
    const frame = { kind: "standing", n: this.#numbers++, user, tokens, month } as const;
    return this.#requests.ask(user, frame).then((answered) => this.#note(user, answered));
  }

  async #admitAway(user: string, own: UserLimits): Promise<Lease> {
    const n = this.#numbers++;
    const answered = await this.#requests.ask(user, { kind: "admit", n, user, limited: limitedFields(own) });
    const { home, answer } = answered;
    this.#note(user, answered);
    const share = shareOf(own, this.#homes.size);
    if (answer?.error) throw refusalOf(answer.error);
    if (answer) return this.#hold(n, user, own, home, this.#own.adopt(user, share, { isCounted: true }));
    this.#noteUnasked(home);
    try {
      return this.#hold(n, user, own, home, this.#own.admit(userPrincipal(user), share));
    } catch (refusal) {
      this.#endAt(home, n);
      throw refusal;
    }
  }

  #hold(n: number, user: string, own: UserLimits, home: string, counted?: LocalLease): Lease {
    const held: HeldLease = { n, user, own, home, reserved: NOTHING, counted };
    this.#held.set(n, held);
    this.#moves.settle();
    // Its home may have changed while it was asked.
    if (this.#homes.of(user) !== held.home) this.#moves.move([held]);
    return {
      reserve: (estimate) => this.#reserve(held, estimate),
      end: once(() => {
        this.#held.delete(n);
        this.#endAt(held.home, n);
        held.counted?.end();
        this.#told.add(user, held.reserved, -1);
      }),
    };
  }

  #reserve(held: HeldLease, estimate: () => Spent): void | Promise<void> {
    if (!hasBudget(held.own)) return;
    this.#moves.settle();
    const spent = estimate();
    if (held.home !== this.#self) return this.#reserveAway(held, spent);
    const note = () => {
      held.reserved = sumOf(held.reserved, spent);
    };
    const reading = this.#home.reserve(this.#self, held.n, held.user, spent);
    if (reading instanceof Promise) return reading.then(note);
    note();
  }

  async #reserveAway(held: HeldLease, spent: Spent): Promise<void> {
    const { user, n } = held;
    const { tokens, costNanos: cost_nanos } = spent;
    const frame = { kind: "reserve", n: this.#numbers++, lease: n, user, tokens, cost_nanos } as const;
    const answered = await this.#requests.ask(user, frame);
    this.#note(user, answered);
    if (answered.answer?.error) throw refusalOf(answered.answer.error);
    if (!answered.answer) {
      this.#noteUnasked(answered.home);
      held.counted?.reserve(() => spent);
    }
    held.reserved = sumOf(held.reserved, spent);
  }

  #endAt(home: string, lease: number): void {
    if (home === this.#self) this.#home.end(home, lease);
    else this.options.link.send(home, { kind: "lease_end", lease });
  }

  #note(user: string, { answer }: Answered): void {
    if (answer?.counts) this.#told.set(user, countsOf(answer.counts));
  }

  #noteUnasked(home: string): void {
    this.#unasked++;
    const at = this.options.elapsedMs();
    if (at - this.#logged.at < MINUTE_MS) return;
    const decided = this.#unasked - this.#logged.unasked;
    this.#logged = { at, unasked: this.#unasked };
    const node = this.options.link.nodes.get(home)?.name ?? home;
    this.options.log.warn("limits_unasked", { node, requests: decided });
  }

  #createPart(answer: (from: NodeInfo, frame: HomeRequest) => void): Part {
    return {
      frames: {
        admit: answer,
        reserve: answer,
        standing: answer,
        admitted: (from, frame) => this.#requests.answered(from.id, frame),
        lease_end: (from, { lease }) => this.#home.end(from.id, lease),
        leases: (from, frame) => this.#home.adoptAll(from.id, frame),
        tokens: (_from, { user, count: tokens, cost_nanos: costNanos = 0, at, ended_at: endedAt }) =>
          this.#use.add(user, { tokens, costNanos, at, endedAt }),
        windows: (from, frame) => this.#home.addRequests(from.id, frame),
      },
      joined: (node) => this.#moves.joined(node.id),
      lost: (node) => this.#moves.lost(node.id),
      stop: () => {
        this.#moves.leave();
        this.#use.stop();
      },
    };
  }
}
