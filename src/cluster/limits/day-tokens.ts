import type { LocalLimits } from "../../auth/limits.ts";
import { startOfDay } from "../../auth/token-budget.ts";
import { BoundedMap } from "../../bounded-map.ts";
import type { Cancel, Clock } from "../../clock.ts";
import { causeOf, type Log } from "../../log/log.ts";
import { userPrincipal } from "../../principal.ts";
import type { UsageStore } from "../../store/store.ts";

export interface DayTokensOptions {
  /** The tokens are counted here. */
  limits: LocalLimits;
  usage: Pick<UsageStore, "tokensOfUsers">;
  clock: Clock;
  log: Pick<Log, "warn">;
}

/** The tokens of an ask, with the times at which it arrived and ended. */
export interface AskTokens {
  count: number;
  at: number;
  endedAt: number;
}

interface UserDay {
  /**
   * Asks that ended earlier count by their rows, others by what their nodes say of them. So none counts twice,
   * whether its row was already written or not.
   */
  cut: number;
  /** The asks that ended at the cut or later. */
  asks: AskTokens[];
  /** Pending until the rows have been read, or that takes too long. */
  first: { ended: Promise<void>; end: () => void } | undefined;
  /** The number of times that the rows were read. */
  reads: number;
  rereadAt: number;
  neededAt: number;
}

/** An ask waits for the database for this time at most. Its node waits longer for its home. */
const READ_MS = 400;
/** After these times the rows are read again: late ones were written, and what got lost between nodes is found. */
const REREAD_MS = [10_000, 60_000, 300_000] as const;
const TICK_MS = 5_000;
/** Rows are written within this time, unless the database is away. */
const WRITTEN_MS = 30_000;
/** A user that has asked nothing for this time is forgotten, and read when needed. */
const IDLE_MS = 600_000;
const USERS_MAX = 100_000;
/** The users that one query reads. */
const QUERY_USERS_MAX = 1_000;
/** The asks of a user between two reads. Of more, the oldest are found by the next read. */
const ASKS_MAX = 50_000;

/**
 * Keeps the tokens of the day of the users that have a limit for them and whose home this node is. What was used before
 * is in the usage: it is read when a user is needed first, and now and then again.
 */
export class DayTokens {
  #users = new BoundedMap<string, UserDay>(USERS_MAX);
  #wanted = new Map<string, UserDay>();
  #isReading = false;
  #timer: Cancel | undefined;

  constructor(private readonly options: DayTokensOptions) {}

  /** Returns undefined if the user's tokens are known, or a promise that resolves when they are, or soon. */
  know(user: string): Promise<void> | undefined {
    const { clock } = this.options;
    const now = clock.now();
    const known = this.#users.get(user);
    if (known) {
      known.neededAt = now;
      return known.first?.ended;
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    const end = () => {
      cancel();
      day.first = undefined;
      resolve();
    };
    const cancel = clock.after(READ_MS, end);
    const first = { ended: promise, end };
    const day: UserDay = { cut: now + 1, asks: [], first, reads: 0, rereadAt: Infinity, neededAt: now };
    this.#users.set(user, day);
    this.#wanted.set(user, day);
    this.#timer ??= clock.after(TICK_MS, this.#tick);
    void this.#readAll();
    return promise;
  }

  /** Counts the tokens of an ask, unless its row tells them. */
  add(user: string, ask: AskTokens): void {
    const known = this.#users.get(user);
    if (!known || ask.endedAt < known.cut) return;
    if (known.asks.length < ASKS_MAX) known.asks.push(ask);
    this.options.limits.countTokens(userPrincipal(user), ask.count, ask.at);
  }

  /** Forgets users that have another home, and reads the others again soon: what nodes said may be lost. */
  nodesChanged(isOwn: (user: string) => boolean): void {
    const soon = this.options.clock.now() + REREAD_MS[0];
    for (const [user, day] of this.#users) {
      if (!isOwn(user) && !day.first) this.#users.delete(user);
      else if (day.reads > 0) [day.reads, day.rereadAt] = [1, soon];
    }
  }

  stop(): void {
    this.#timer?.();
  }

  readonly #tick = (): void => {
    const { clock } = this.options;
    const now = clock.now();
    for (const [user, day] of this.#users) {
      if (day.neededAt < now - IDLE_MS) this.#users.delete(user);
      else if (day.rereadAt <= now) this.#wanted.set(user, day);
    }
    this.#timer = this.#users.size > 0 ? clock.after(TICK_MS, this.#tick) : undefined;
    void this.#readAll();
  };

  /** Reads the users that are wanted, by one query at a time. */
  async #readAll(): Promise<void> {
    if (this.#isReading) return;
    this.#isReading = true;
    while (this.#wanted.size > 0) {
      const days = this.#takeWanted();
      try {
        await this.#read(days);
      } catch (error) {
        this.options.log.warn("usage_unreadable", { cause: causeOf(error) });
        for (const day of days.values()) day.rereadAt = this.options.clock.now() + REREAD_MS[0];
      }
      for (const day of days.values()) day.first?.end();
    }
    this.#isReading = false;
  }

  /** Takes users that were never read, or else others: their rows are summed until different times. */
  #takeWanted(): Map<string, UserDay> {
    const all = [...this.#wanted];
    const never = all.filter(([, { reads }]) => reads === 0);
    const taken = new Map((never.length > 0 ? never : all).slice(0, QUERY_USERS_MAX));
    for (const user of taken.keys()) this.#wanted.delete(user);
    return taken;
  }

  async #read(days: ReadonlyMap<string, UserDay>): Promise<void> {
    const { clock, usage, limits } = this.options;
    const from = startOfDay(clock.now());
    const cut = Math.max(clock.now() - WRITTEN_MS, ...[...days.values()].map((day) => day.cut));
    const rows = await usage.tokensOfUsers([...days.keys()], { from, endedBefore: cut });
    const today = startOfDay(clock.now());
    for (const [user, day] of days) {
      day.cut = cut;
      day.asks = day.asks.filter(({ endedAt }) => endedAt >= cut);
      day.rereadAt = clock.now() + (REREAD_MS[day.reads++] ?? REREAD_MS[2]);
      const recent = day.asks.reduce((sum, { at, count }) => sum + (at >= today ? count : 0), 0);
      if (this.#users.get(user) === day)
        limits.setTokens(user, recent + (today === from ? (rows.get(user) ?? 0) : 0));
    }
  }
}
