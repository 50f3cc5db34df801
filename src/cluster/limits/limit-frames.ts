import type { LimitCounts, UserLimits } from "../../auth/limits.ts";
import { AppError, type ErrorCode } from "../../errors.ts";
import type { FrameOf, NodeError } from "../../protocol/node/frames.ts";

/** A user's limits, as they are sent. */
type LimitedFields = FrameOf<"admit">["limited"];
type CountFields = NonNullable<FrameOf<"admitted">["counts"]>;

export function limitedFields({ requestsPerMinute, tokensPerDay, maxParallel }: UserLimits): LimitedFields {
  return { requests_per_minute: requestsPerMinute, tokens_per_day: tokensPerDay, max_parallel: maxParallel };
}

export function limitsOf(fields: LimitedFields): UserLimits {
  const { requests_per_minute, tokens_per_day, max_parallel } = fields;
  return { requestsPerMinute: requests_per_minute, tokensPerDay: tokens_per_day, maxParallel: max_parallel };
}

export function countFields({ requests, requestsResetMs, tokens, tokensResetMs }: LimitCounts): CountFields {
  return { requests, requests_reset_ms: requestsResetMs, tokens, tokens_reset_ms: tokensResetMs };
}

export function countsOf({ requests, requests_reset_ms, tokens, tokens_reset_ms }: CountFields): LimitCounts {
  return { requests, requestsResetMs: requests_reset_ms, tokens, tokensResetMs: tokens_reset_ms };
}

export function refusalFields({ code, hint, retryAfterMs }: AppError): NodeError {
  return { code, hint, retry_after_ms: retryAfterMs };
}

const REFUSALS: ReadonlySet<string> = new Set<ErrorCode>([
  "limit_requests",
  "limit_tokens",
  "limit_parallel",
]);

/** Returns the error of a refusal. A home that refuses for a reason of a later version refuses for a while. */
export function refusalOf({ code, hint, retry_after_ms: retryAfterMs }: NodeError): AppError {
  const known = REFUSALS.has(code) ? (code as ErrorCode) : "limit_parallel";
  return new AppError(known, { ...(hint !== undefined && { hint }), retryAfterMs });
}

/** Returns a node's share of the limits: it may let in as much by its own counts while a home does not answer. */
export function shareOf(
  { requestsPerMinute, tokensPerDay, maxParallel }: UserLimits,
  nodes: number,
): UserLimits {
  const share = (limit: number | null) => (limit === null ? null : Math.ceil(limit / nodes));
  return {
    requestsPerMinute: share(requestsPerMinute),
    tokensPerDay: share(tokensPerDay),
    maxParallel: share(maxParallel),
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
