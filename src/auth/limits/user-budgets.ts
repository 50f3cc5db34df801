import { moneyText, NANOS_PER_MICRO } from "../../prices/money.ts";
import type { Spent, UserUse } from "../../store/store.ts";
import type { Allowance } from "../callers.ts";
import { createPeriodBudget, DAY, MONTH, type PeriodBudget } from "./period-budget.ts";

/** The limits of what a user may use in a period. Null means no limit. */
export type Budgets = Pick<Allowance, "tokensPerDay" | "budgetDayMicros" | "budgetMonthMicros">;

/** The used and reserved amounts of each budget, and the time until all of it is available again. */
export interface BudgetCounts {
  tokens: number;
  /** The cost of this day, whose end is that of the tokens, and of this month. */
  dayNanos: number;
  dayResetMs: number;
  monthNanos: number;
  monthResetMs: number;
}

export interface UserBudgetsOptions {
  /** Milliseconds since 1970. */
  now: () => number;
  /** The currency, by its code of ISO 4217; null without prices. */
  currency?: (() => string | null) | undefined;
  /** The use of each user on this UTC day and in this month. */
  used?: ReadonlyMap<string, UserUse> | undefined;
}

/** Counts what users use of their budgets: tokens by day, and money by day and by month. */
export class UserBudgets {
  readonly #tokens: PeriodBudget;
  readonly #day: PeriodBudget;
  readonly #month: PeriodBudget;

  constructor({ now, currency = () => null, used = new Map() }: UserBudgetsOptions) {
    const usedIn = (name: keyof UserUse) => Array.from(used, ([user, use]) => [user, use[name]] as const);
    const spentText = (what: string) => (limit: number, spent: number, resetAt: number) =>
      `The budget of ${what} is ${moneyText(limit, currency())}, and ${moneyText(spent, currency())} were spent. It starts again at ${timeText(resetAt)}.`;
    const reservedCode = "limit_budget_reserved";
    this.#tokens = createPeriodBudget({
      ...{ period: DAY, now, code: "limit_tokens", used: usedIn("tokens") },
      usedText: (limit, count) => `The limit is ${limit}, and ${count} were used.`,
    });
    this.#day = createPeriodBudget({
      ...{ period: DAY, now, code: "limit_budget_day", reservedCode, used: usedIn("dayNanos") },
      usedText: spentText("a day"),
    });
    this.#month = createPeriodBudget({
      ...{ period: MONTH, now, code: "limit_budget_month", reservedCode, used: usedIn("monthNanos") },
      usedText: spentText("a month"),
    });
  }

  /** Throws an `AppError` if a budget is used up for its period. */
  checkUsed(user: string, own: Budgets): void {
    this.#each(own, (budget, limit) => budget.checkUsed(user, limit));
  }

  /** Throws an `AppError` if the rest of a budget is reserved. */
  checkReserved(user: string, own: Budgets): void {
    this.#each(own, (budget, limit) => budget.checkReserved(user, limit));
  }

  /** Counts what an ask used that arrived at `at`. */
  add(user: string, spent: Spent, at: number): void {
    this.#tokens.add(user, spent.tokens, at);
    this.#day.add(user, spent.costNanos, at);
    this.#month.add(user, spent.costNanos, at);
  }

  /** Replaces what the user has used. */
  set(user: string, use: UserUse): void {
    this.#tokens.set(user, use.tokens);
    this.#day.set(user, use.dayNanos);
    this.#month.set(user, use.monthNanos);
  }

  counts(user: string): BudgetCounts {
    return {
      tokens: this.#tokens.taken(user),
      dayNanos: this.#day.taken(user),
      dayResetMs: this.#day.resetMs(),
      monthNanos: this.#month.taken(user),
      monthResetMs: this.#month.resetMs(),
    };
  }

  /** Returns what one ask reserves, nothing at first; undefined for a user without budgets. */
  reservationOf(user: string, own: Budgets) {
    if (!hasBudget(own)) return undefined;
    let giveBack: (() => void)[] = [];
    let reserved: Spent = NOTHING;
    const end = () => {
      for (const give of giveBack) give();
      giveBack = [];
    };
    const reserve = () =>
      this.#each(own, (budget, _limit, amountOf) => giveBack.push(budget.reserve(user, amountOf(reserved))));
    return {
      add: (estimate: () => Spent): void => {
        // What the ask itself has reserved does not count against it.
        end();
        this.checkUsed(user, own);
        this.checkReserved(user, own);
        reserved = sumOf(reserved, estimate());
        reserve();
      },
      /** Reserves without a check. */
      restore(spent: Spent): void {
        reserved = spent;
        reserve();
      },
      end,
    };
  }

  /** Calls `use` with each budget that has a limit, that with the longest period first. */
  #each(own: Budgets, use: (budget: PeriodBudget, limit: number, amountOf: AmountOf) => void): void {
    const { budgetMonthMicros, budgetDayMicros, tokensPerDay } = own;
    if (budgetMonthMicros !== null) use(this.#month, budgetMonthMicros * NANOS_PER_MICRO, costOf);
    if (budgetDayMicros !== null) use(this.#day, budgetDayMicros * NANOS_PER_MICRO, costOf);
    if (tokensPerDay !== null) use(this.#tokens, tokensPerDay, tokensOf);
  }
}

type AmountOf = (spent: Spent) => number;
const tokensOf: AmountOf = ({ tokens }) => tokens;
const costOf: AmountOf = ({ costNanos }) => costNanos;

export const NOTHING: Spent = { tokens: 0, costNanos: 0 };

export const sumOf = (a: Spent, b: Spent): Spent => ({
  tokens: a.tokens + b.tokens,
  costNanos: a.costNanos + b.costNanos,
});

/** Whether the user has a limit of what they may use in a period. */
export const hasBudget = (own: Budgets): boolean => own.tokensPerDay !== null || hasMoneyBudget(own);

/** Whether one of these limits is an amount of money. */
export const hasMoneyBudget = (own: Budgets): boolean =>
  own.budgetDayMicros !== null || own.budgetMonthMicros !== null;

/** Writes a time without fractions of a second, as in `2026-12-01T00:00:00Z`. */
const timeText = (at: number) => `${new Date(at).toISOString().slice(0, 19)}Z`;
