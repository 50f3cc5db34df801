import { startOfMonth } from "../../auth/limits/period-budget.ts";
import type { Spent, UserUse } from "../../store/store.ts";

/** The tokens and the cost of an ask, with the times at which it arrived and ended. */
export interface AskUse extends Spent {
  at: number;
  endedAt: number;
}

/** The result of reading the use of a user. */
interface ReadUse {
  /** The beginning of the day that was read, and the time before which its asks ended. */
  day: number;
  cut: number;
  /** The sums of these asks; undefined if there are none. */
  row: Spent | undefined;
  /** The cost of the month before that day; undefined if it was not read. */
  earlierNanos: number | undefined;
}

/** The asks of a user between two reads. Of more, the oldest are found by the next read. */
const ASKS_MAX = 50_000;

/** The use of one user, as far as it is known. */
export class KnownUse {
  /**
   * Asks that ended earlier count by their rows, others by what their nodes say of them. So none counts twice,
   * whether its row was already written or not.
   */
  cut: number;
  /** The number of times that the rows were read. */
  reads = 0;
  rereadAt = Infinity;
  neededAt: number;
  /** The asks that ended at the cut or later. */
  #asks: AskUse[] = [];
  /** The sums of the asks of a day that ended before the cut. */
  #read: { day: number; row: Spent | undefined } | undefined;
  /** The cost of the days before that day in its month, of asks that ended before the cut. */
  #earlier: { day: number; costNanos: number } | undefined;

  constructor(
    now: number,
    /** Whether the user has a budget for the month. */
    readonly needsMonth: boolean,
    /** Pending until the rows have been read, or that takes too long. */
    public first: { ended: Promise<void>; end: () => void } | undefined,
  ) {
    this.cut = now + 1;
    this.neededAt = now;
  }

  /** Whether the days of the month before this one were not read on it. */
  needsEarlier(day: number): boolean {
    return this.needsMonth && this.#earlier?.day !== day;
  }

  /** Notes an ask. Returns false if its row tells of it. */
  add(ask: AskUse): boolean {
    if (ask.endedAt < this.cut) return false;
    if (this.#asks.length < ASKS_MAX) this.#asks.push(ask);
    return true;
  }

  noteRead({ day, cut, row, earlierNanos }: ReadUse): void {
    const month = startOfMonth(day);
    if (earlierNanos !== undefined) this.#earlier = { day, costNanos: earlierNanos };
    // Asks that came before midnight and ended after it, since the days before were read.
    else if (this.#earlier)
      this.#earlier.costNanos += costOf(
        this.#asks.filter(({ at, endedAt }) => endedAt < cut && at >= month && at < day),
      );
    this.#read = { day, row };
    this.cut = cut;
    this.#asks = this.#asks.filter(({ endedAt }) => endedAt >= cut);
  }

  /** Returns what the user has used on the UTC day that begins at `today`, and in its month. */
  useOn(today: number): UserUse {
    const month = startOfMonth(today);
    const row = this.#read?.row;
    const isOfToday = this.#read?.day === today;
    const recent = this.#asks.filter(({ at }) => at >= today);
    const before = this.#asks.filter(({ at }) => at >= month && at < today);
    const rowNanos = row && this.#read && this.#read.day >= month ? row.costNanos : 0;
    const earlierNanos = this.#earlier && this.#earlier.day >= month ? this.#earlier.costNanos : 0;
    return {
      tokens: recent.reduce((sum, { tokens }) => sum + tokens, 0) + (isOfToday && row ? row.tokens : 0),
      dayNanos: costOf(recent) + (isOfToday ? rowNanos : 0),
      monthNanos: costOf(recent) + costOf(before) + rowNanos + earlierNanos,
    };
  }
}

const costOf = (asks: readonly Spent[]) => asks.reduce((sum, { costNanos }) => sum + costNanos, 0);
