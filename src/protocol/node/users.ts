import { z } from "zod";
import { ID_LENGTH_MAX, NAME_LENGTH_MAX } from "./bounds.ts";
import { count, error, frame, id, list, ms, text } from "./fields.ts";

/** A user's limits; null means none. */
const limits = z.object({
  requests_per_minute: ms.nullable(),
  tokens_per_day: ms.nullable(),
  max_parallel: ms.nullable(),
  /** In micros. Missing from a node that knows no budgets. */
  budget_day: ms.nullable().optional(),
  budget_month: ms.nullable().optional(),
});

/** The counts of a user; see `LimitCounts`. */
const limitCounts = z.object({
  requests: count,
  requests_reset_ms: ms,
  tokens: z.number().min(0),
  tokens_reset_ms: ms,
  /** The cost of the day and of the month, in nanos. Missing from a node that knows no budgets. */
  day_nanos: ms.optional(),
  month_nanos: ms.optional(),
  month_reset_ms: ms.optional(),
});

/** Frames about users: limits and changes. */
export const USER_FRAMES = [
  /** Asks the home of a user for a lease, whose number is `n`: the sender numbers its leases and requests. */
  frame("admit", { n: count, user: text(NAME_LENGTH_MAX), limited: limits }),
  /** Asks the home of a user for their counts; `tokens`: what they used today is needed too; `month`: and this month. */
  frame("standing", {
    ...{ n: count, user: text(NAME_LENGTH_MAX), tokens: z.boolean(), month: z.boolean().optional() },
  }),
  /** The answer to `admit`, `reserve` or `standing`. */
  frame("admitted", { n: count, error: error.optional(), counts: limitCounts.optional() }),
  /** Reserves tokens and their cost, in nanos, for a lease, besides what it has. */
  frame("reserve", {
    ...{ n: count, lease: count, user: text(NAME_LENGTH_MAX) },
    ...{ tokens: z.number().min(0), cost_nanos: ms.optional() },
  }),
  frame("lease_end", { lease: count }),
  /** The leases that the sender holds of users whose home is the receiver. */
  frame("leases", {
    leases: list(
      z.object({
        ...{ lease: count, user: text(NAME_LENGTH_MAX), limited: limits },
        ...{ reserved: z.number().min(0), reserved_nanos: ms.optional() },
      }),
      10_000,
    ),
  }),
  /** Tokens that an ask of a user took, and their cost in nanos. The times: milliseconds since 1970. */
  frame("tokens", {
    ...{ user: text(NAME_LENGTH_MAX), count: z.number().min(0), at: ms, ended_at: ms },
    cost_nanos: ms.optional(),
  }),
  /**
   * The requests of users within the minute, as ages: the receiver is their home. `leaving`: the sender was it, and
   * leaves. `was`: the home that counted these asks of the sender is lost.
   */
  frame("windows", {
    users: list(z.object({ user: text(NAME_LENGTH_MAX), ages_ms: list(ms, 100_000) }), 10_000),
    leaving: z.boolean().optional(),
    was: id.optional(),
  }),
  /** Copies of these are out of date; what is open of the revoked ones ends. */
  frame("changed", {
    all: z.boolean().optional(),
    users: list(text(NAME_LENGTH_MAX), 100_000).optional(),
    revoked: list(text(NAME_LENGTH_MAX), 100_000).optional(),
    agent_keys: list(text(ID_LENGTH_MAX), 100_000).optional(),
    sessions: list(text(ID_LENGTH_MAX), 100_000).optional(),
    /** Settings were changed. */
    settings: z.boolean().optional(),
  }),
] as const;
