import { LIMIT_CODES } from "../../auth/limits/limit-error.ts";
import type { LimitCounts, UserLimits } from "../../auth/limits/limits.ts";
import { AppError, type ErrorCode } from "../../errors.ts";
import type { FrameOf, NodeError } from "../../protocol/node/frames.ts";

/** A user's limits, as they are sent. */
type LimitedFields = FrameOf<"admit">["limited"];
type CountFields = NonNullable<FrameOf<"admitted">["counts"]>;

export function limitedFields(own: UserLimits): LimitedFields {
  return {
    requests_per_minute: own.requestsPerMinute,
    tokens_per_day: own.tokensPerDay,
    max_parallel: own.maxParallel,
    budget_day: own.budgetDayMicros,
    budget_month: own.budgetMonthMicros,
  };
}

export function limitsOf(fields: LimitedFields): UserLimits {
  return {
    requestsPerMinute: fields.requests_per_minute,
    tokensPerDay: fields.tokens_per_day,
    maxParallel: fields.max_parallel,
    budgetDayMicros: fields.budget_day ?? null,
    budgetMonthMicros: fields.budget_month ?? null,
  };
}

export function countFields(counts: LimitCounts): CountFields {
  return {
    requests: counts.requests,
    requests_reset_ms: counts.requestsResetMs,
    tokens: counts.tokens,
    tokens_reset_ms: counts.dayResetMs,
    day_nanos: counts.dayNanos,
    month_nanos: counts.monthNanos,
    month_reset_ms: counts.monthResetMs,
  };
}

export function countsOf(fields: CountFields): LimitCounts {
  return {
    requests: fields.requests,
    requestsResetMs: fields.requests_reset_ms,
    tokens: fields.tokens,
    dayNanos: fields.day_nanos ?? 0,
    dayResetMs: fields.tokens_reset_ms,
    monthNanos: fields.month_nanos ?? 0,
    monthResetMs: fields.month_reset_ms ?? 0,
  };
}

export function refusalFields({ code, hint, retryAfterMs }: AppError): NodeError {
  return { code, hint, retry_after_ms: retryAfterMs };
}

const REFUSALS: ReadonlySet<string> = new Set(LIMIT_CODES);

/** Returns the error of a refusal. A home that refuses for a reason of a later version refuses for a while. */
export function refusalOf({ code, hint, retry_after_ms: retryAfterMs }: NodeError): AppError {
  const known = REFUSALS.has(code) ? (code as ErrorCode) : "limit_parallel";
  return new AppError(known, { ...(hint !== undefined && { hint }), retryAfterMs });
}

/** Returns a node's share of the limits: it may let in as much by its own counts while a home does not answer. */
export function shareOf(own: UserLimits, nodes: number): UserLimits {
  const share = (limit: number | null) => (limit === null ? null : Math.ceil(limit / nodes));
  return {
    requestsPerMinute: share(own.requestsPerMinute),
    tokensPerDay: share(own.tokensPerDay),
    maxParallel: share(own.maxParallel),
    budgetDayMicros: share(own.budgetDayMicros),
    budgetMonthMicros: share(own.budgetMonthMicros),
  };
}

/** Cuts a list into pieces that are sent as one frame each. */
export function* piecesOf<Item>(items: readonly Item[], sizeOf: (item: Item) => number): Generator<Item[]> {
  let [piece, size]: [Item[], number] = [[], 0];
  for (const item of items) {
    piece.push(item);
    size += sizeOf(item);
    if (size < PIECE_SIZE) continue;
    yield piece;
    [piece, size] = [[], 0];
  }
  if (piece.length > 0) yield piece;
}

/** In a frame there are about as many ages of requests, or half as many leases. */
const PIECE_SIZE = 5_000;
