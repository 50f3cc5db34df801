import type { LocalLimits } from "../../auth/limits/limits.ts";
import { startOfDay, startOfMonth } from "../../auth/limits/period-budget.ts";
import { BoundedMap } from "../../bounded-map.ts";
import type { Cancel, Clock } from "../../clock.ts";
import { causeOf, type Log } from "../../log/log.ts";
import { userPrincipal } from "../../principal.ts";
import type { UsageStore } from "../../store/store.ts";
import { type AskUse, KnownUse } from "./known-use.ts";

export interface PeriodUseOptions {
  /** Counts the use. */
  limits: LocalLimits;
  usage: Pick<UsageStore, "spentByUsers" | "costOfUsers">;
  clock: Clock;
  log: Pick<Log, "warn">;
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

/**
 * Keeps what the users with budgets whose home this node is have used on this day and in this month. What was used
 * before is in the usage: it is read when a user is needed first, and now and then again. The days of the month that are
 * over are read once a day.
 */
export class PeriodUse {
  #users = new BoundedMap<string, KnownUse>(USERS_MAX);
  #wanted = new Map<string, KnownUse>();
  #isReading = false;
  #timer: Cancel | undefined;

  constructor(private readonly options: PeriodUseOptions) {}

  /**
   * Returns undefined if what the user has used is known, or a promise that resolves when it is, or soon. `needsMonth`:
   * the whole month must be known, not only the day.
   */
  know(user: string, needsMonth = false): Promise<void> | undefined {
    const { clock } = this.options;
    const now = clock.now();
    const known = this.#users.get(user);
    if (known && (known.needsMonth || !needsMonth)) {
      known.neededAt = now;
      return known.first?.ended;
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    const end = () => {
      cancel();
      fresh.first = undefined;
      resolve();
    };
    const cancel = clock.after(READ_MS, end);
    const fresh = new KnownUse(now, needsMonth, { ended: promise, end });
    known?.first?.end();
    this.#users.set(user, fresh);
    this.#wanted.set(user, fresh);
    this.#timer ??= clock.after(TICK_MS, this.#tick);
    void this.#readAll();
    return promise;
  }

  /** Counts what an ask used, unless its row tells it. */
  add(user: string, ask: AskUse): void {
    if (this.#users.get(user)?.add(ask)) this.options.limits.countSpent(userPrincipal(user), ask, ask.at);
  }

  /** Forgets users that have another home, and reads the others again soon: what nodes said may be lost. */
  nodesChanged(isOwn: (user: string) => boolean): void {
    const soon = this.options.clock.now() + REREAD_MS[0];
    for (const [user, known] of this.#users) {
      if (!isOwn(user) && !known.first) this.#users.delete(user);
      else if (known.reads > 0) [known.reads, known.rereadAt] = [1, soon];
    }
  }

  stop(): void {
    this.#timer?.();
  }

  readonly #tick = (): void => {
    const { clock } = this.options;
    const now = clock.now();
    for (const [user, known] of this.#users) {
      if (known.neededAt < now - IDLE_MS) this.#users.delete(user);
      else if (known.rereadAt <= now) this.#wanted.set(user, known);
    }
    this.#timer = this.#users.size > 0 ? clock.after(TICK_MS, this.#tick) : undefined;
    void this.#readAll();
  };

  /** Reads the users that are wanted, by one query at a time. */
  async #readAll(): Promise<void> {
    if (this.#isReading) return;
    this.#isReading = true;
    while (this.#wanted.size > 0) {
      const users = this.#takeWanted();
      try {
        await this.#read(users);
      } catch (error) {
        this.options.log.warn("usage_unreadable", { cause: causeOf(error) });
        for (const known of users.values()) known.rereadAt = this.options.clock.now() + REREAD_MS[0];
      }
      for (const known of users.values()) known.first?.end();
    }
    this.#isReading = false;
  }

  /** Takes users that were never read, or else others: their rows are summed until different times. */
  #takeWanted(): Map<string, KnownUse> {
    const all = [...this.#wanted];
    const never = all.filter(([, { reads }]) => reads === 0);
    const taken = new Map((never.length > 0 ? never : all).slice(0, QUERY_USERS_MAX));
    for (const user of taken.keys()) this.#wanted.delete(user);
    return taken;
  }

  async #read(users: ReadonlyMap<string, KnownUse>): Promise<void> {
    const { clock, usage, limits } = this.options;
    const day = startOfDay(clock.now());
    const cut = Math.max(clock.now() - WRITTEN_MS, ...[...users.values()].map((known) => known.cut));
    const rows = await usage.spentByUsers([...users.keys()], { from: day, endedBefore: cut });
    const earlier = await this.#readEarlier(users, day, cut);
    const today = startOfDay(clock.now());
    for (const [user, known] of users) {
      known.noteRead({ day, cut, row: rows.get(user), earlierNanos: earlier.get(user) });
      known.rereadAt = clock.now() + (REREAD_MS[known.reads++] ?? REREAD_MS[2]);
      if (this.#users.get(user) === known) limits.setUsed(user, known.useOn(today));
    }
  }

  /** Reads the cost of the month before the day, for the users that need it and have not been read on this day. */
  async #readEarlier(users: ReadonlyMap<string, KnownUse>, day: number, cut: number) {
    const month = startOfMonth(day);
    const ids = [...users].flatMap(([user, known]) => (known.needsEarlier(day) ? user : []));
    const costs =
      ids.length > 0 && month < day
        ? await this.options.usage.costOfUsers(ids, { from: month, to: day, endedBefore: cut })
        : undefined;
    return new Map(ids.map((user) => [user, costs?.get(user) ?? 0]));
  }
}
