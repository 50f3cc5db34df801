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
} from "../../auth/limits.ts";
import { BoundedMap } from "../../bounded-map.ts";
import type { Clock } from "../../clock.ts";
import type { Log } from "../../log/log.ts";
import { once } from "../../once.ts";
import { type Principal, userPrincipal } from "../../principal.ts";
import type { UsageStore } from "../../store/store.ts";
import { MINUTE_MS } from "../../time.ts";
import type { Link, NodeInfo, Part } from "../part.ts";
import { DayTokens } from "./day-tokens.ts";
import { HomeAnswers } from "./home-answers.ts";
import { type Answered, type HomeRequest, HomeRequests } from "./home-requests.ts";
import { Homes } from "./homes.ts";
import { countsOf, limitedFields, refusalOf, shareOf } from "./limit-frames.ts";
import { LimitHome } from "./limit-home.ts";
import { type HeldLease, LimitMoves } from "./limit-moves.ts";
import { ToldCounts } from "./told-counts.ts";

export interface SharedLimitsOptions {
  link: Link;
  clock: Clock;
  /** Milliseconds of a monotonic clock. */
  elapsedMs: () => number;
  usage: Pick<UsageStore, "tokensOfUsers">;
  log: Pick<Log, "warn">;
}

/** The users whose tokens their homes want to know: those that had a limit for them at this node. */
const TOKEN_USERS_MAX = 100_000;

/**
 * The limits of a cluster. Each user has a home, the node that counts what they do at all nodes. Users without limits
 * ask nobody, and where this node is the home nothing waits, but for the first read of the tokens of a user's day.
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
  readonly #days: DayTokens;
  readonly #home: LimitHome;
  readonly #homes: Homes;
  readonly #requests: HomeRequests;
  readonly #moves: LimitMoves;
  readonly #told: ToldCounts;
  readonly #held = new Map<number, HeldLease>();
  readonly #tokenUsers = new BoundedMap<string, true>(TOKEN_USERS_MAX);
  #numbers = 0;
  #unasked = 0;
  #logged = { at: -Infinity, unasked: 0 };

  constructor(private readonly options: SharedLimitsOptions) {
    const { link, clock, elapsedMs, usage, log } = options;
    const { now } = clock;
    this.#self = link.self.id;
    this.#atHome = createLimits({ now, elapsedMs });
    this.#own = createLimits({ now, elapsedMs });
    this.#days = new DayTokens({ limits: this.#atHome, usage, clock, log });
    this.#homes = new Homes([this.#self, ...link.nodes.keys()]);
    this.#told = new ToldCounts(elapsedMs);
    const homeOf = (user: string) => this.#homes.of(user);
    this.#home = new LimitHome({
      ...{ self: this.#self, homeOf, clock, elapsedMs },
      ...{ limits: this.#atHome, days: this.#days },
    });
    const send = (home: string, frame: HomeRequest) =>
      home === this.#self ? answers.answer(home, frame) : link.send(home, frame);
    this.#requests = new HomeRequests({ clock, homeOf, send });
    this.#moves = new LimitMoves({
      ...{ link, clock, homes: this.#homes, home: this.#home, days: this.#days, own: this.#own },
      ...{ held: this.#held, requests: this.#requests },
    });
    const answers = new HomeAnswers({
      ...{ link, limits: this.#atHome, home: this.#home, days: this.#days, homeOf },
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
    if (own.tokensPerDay !== null) this.#tokenUsers.set(user, true);
    if (this.#homes.of(user) !== this.#self) return this.#admitAway(user, own);
    const n = this.#numbers++;
    const reading = this.#home.admit(this.#self, n, user, own);
    if (!(reading instanceof Promise)) return this.#hold(n, user, own, this.#self);
    return reading.then(() => this.#hold(n, user, own, this.#self));
  }

  countTokens(principal: Principal, count: number, at: number, endedAt: number): void {
    if (principal.kind === "admin" || count <= 0 || !this.#tokenUsers.has(principal.id)) return;
    const user = principal.id;
    this.#own.countTokens(principal, count, at);
    const home = this.#homes.of(user);
    if (home === this.#self) {
      this.#days.add(user, { count, at, endedAt });
      return;
    }
    this.#told.addTokens(user, count);
    this.options.link.send(home, { kind: "tokens", user, count, at, ended_at: endedAt });
  }

  standing(user: string, own: UserLimits): Standings {
    if (this.#homes.of(user) === this.#self) return this.#atHome.standing(user, own);
    return standingsOf(this.#told.get(user) ?? this.#own.counts(user), own);
  }

  refresh(user: string, own: UserLimits): Promise<void> | undefined {
    if (!hasLimit(own)) return undefined;
    if (this.#homes.of(user) === this.#self)
      return own.tokensPerDay === null ? undefined : this.#days.know(user);
    const frame = { kind: "standing", n: this.#numbers++, user, tokens: own.tokensPerDay !== null } as const;
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
    const held: HeldLease = { n, user, own, home, reserved: 0, counted };
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
        this.#told.addTokens(user, -held.reserved);
      }),
    };
  }

  #reserve(held: HeldLease, estimate: () => number): void | Promise<void> {
    if (held.own.tokensPerDay === null) return;
    this.#moves.settle();
    const tokens = estimate();
    if (held.home !== this.#self) return this.#reserveAway(held, tokens);
    const reading = this.#home.reserve(this.#self, held.n, held.user, tokens);
    if (reading instanceof Promise)
      return reading.then(() => {
        held.reserved += tokens;
      });
    held.reserved += tokens;
  }

  async #reserveAway(held: HeldLease, tokens: number): Promise<void> {
    const { user, n } = held;
    const frame = { kind: "reserve", n: this.#numbers++, lease: n, user, tokens } as const;
    const answered = await this.#requests.ask(user, frame);
    this.#note(user, answered);
    if (answered.answer?.error) throw refusalOf(answered.answer.error);
    if (!answered.answer) {
      this.#noteUnasked(answered.home);
      held.counted?.reserve(() => tokens);
    }
    held.reserved += tokens;
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
        tokens: (_from, { user, count, at, ended_at: endedAt }) =>
          this.#days.add(user, { count, at, endedAt }),
        windows: (from, frame) => this.#home.addRequests(from.id, frame),
      },
      joined: (node) => this.#moves.joined(node.id),
      lost: (node) => this.#moves.lost(node.id),
      stop: () => {
        this.#moves.leave();
        this.#days.stop();
      },
    };
  }
}
