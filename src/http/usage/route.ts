import type { z } from "zod";
import { AppError } from "../../errors.ts";
import { type Principal, principalNamed, userPrincipal } from "../../principal.ts";
import type { UsageGroup, UsageStore, UsageSum } from "../../store/store.ts";
import { DAY_MS } from "../../time.ts";
import { csvResponse } from "../csv.ts";
import { resource, route } from "../route.ts";
import { OwnUsageQuery, UsageAnswer, type UsageEntry, UsageQuery, UserUsageQuery } from "./schema.ts";

interface UsageDeps {
  usage: Pick<UsageStore, "sum" | "unwritten">;
  /** Milliseconds since 1970. */
  now: () => number;
}

const USAGE = {
  description: "The sums, by day and then by the number of requests.",
  headers: ["x-truncated", "x-warning", "content-disposition"],
  json: UsageAnswer,
  example: {
    from: "2026-10-25T00:00:00.000Z",
    to: "2026-11-24T00:00:00.000Z",
    by: ["day"],
    truncated: false,
    usage: [
      {
        ...{ day: "2026-11-23", asks: 3, failed: 1, prompt_tokens: 14, completion_tokens: 6 },
        ...{ cached_tokens: 8, cache_creation_tokens: 0, reasoning_tokens: 2 },
        ...{ estimated: 1, uncounted: 1, duration_ms: 840 },
      },
    ],
  },
  other: {
    "text/csv": {
      description: "A line of column names, then a line for each entry.",
      example:
        "day,asks,failed,prompt_tokens,completion_tokens,cached_tokens,cache_creation_tokens,reasoning_tokens,estimated,uncounted,duration_ms\r\n2026-11-23,3,1,14,6,8,0,2,1,1,840\r\n",
    },
  },
} as const;

const ROUTES = {
  readOwnUsage: route("GET /api/usage", {
    access: "caller",
    limits: "show",
    summary: "Read your own usage",
    query: OwnUsageQuery,
    answers: { 200: USAGE },
  }),
  readUsage: route("GET /admin/usage", {
    access: "admin",
    summary: "Read the usage of all users",
    query: UsageQuery,
    answers: { 200: USAGE },
  }),
  readUserUsage: route("GET /admin/users/:id/usage", {
    access: "admin",
    summary: "Read the usage of one user",
    description: "Works for deleted users too.",
    params: { id: "The user's id." },
    query: UserUsageQuery,
    answers: { 200: USAGE },
  }),
};

/** Counted requests and tokens: of all users, of one, and of the caller. */
export const usageRoutes = resource("Usage", ROUTES).handledBy((deps: UsageDeps) => ({
  readOwnUsage: ({ caller, query }) => answerUsage(deps, query, caller.principal),

  readUsage: ({ query }) =>
    answerUsage(deps, query, query.user === undefined ? undefined : principalNamed(query.user)),

  // A deleted or unknown user is not an error: usage outlives its users.
  readUserUsage: ({ params, query }) => answerUsage(deps, query, userPrincipal(params.id)),
}));

type Query = Omit<z.output<typeof UserUsageQuery>, "by"> & { by: UsageGroup[] };

const PERIOD_DAYS = 30;
const SUMS = [
  ...(["asks", "failed", "prompt_tokens", "completion_tokens"] as const),
  ...(["cached_tokens", "cache_creation_tokens", "reasoning_tokens"] as const),
  ...(["estimated", "uncounted", "duration_ms"] as const),
];

/** Returns the usage of one principal, or of all. */
async function answerUsage(
  { usage: store, now }: UsageDeps,
  { format, limit, by, ...times }: Query,
  principal: Principal | undefined,
) {
  const { from, to } = periodOf(times, now());
  const sums = await store.sum({ from, to, by, limit: limit + 1, principal });
  const unwritten = store.unwritten();
  const truncated = sums.length > limit;
  const usage = sums.slice(0, limit).map(entryOf);
  const warning =
    unwritten > 0
      ? `${unwritten} requests are missing: they could not be written. Check the disk.`
      : undefined;
  if (format === "csv") {
    const columns = [...by, ...SUMS];
    const rows = usage.map((entry: UsageEntry) => columns.map((name) => entry[name] ?? null));
    return csvResponse("usage.csv", [columns, ...rows], {
      ...(truncated && { "x-truncated": "true" }),
      ...(warning && { "x-warning": warning }),
    });
  }
  const period = { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
  return { ...period, by, truncated, ...(warning && { warning }), usage };
}

function entryOf({ group, asks, failed, estimated, uncounted, ...sums }: UsageSum) {
  return {
    ...group,
    asks,
    failed,
    prompt_tokens: sums.inputTokens,
    completion_tokens: sums.outputTokens,
    cached_tokens: sums.cachedTokens,
    cache_creation_tokens: sums.cacheCreationTokens,
    reasoning_tokens: sums.reasoningTokens,
    estimated,
    uncounted,
    duration_ms: sums.durationMs,
  };
}

/** Returns the period in milliseconds since 1970. Throws an `AppError` request_invalid if it is empty. */
function periodOf({ from, to }: Pick<Query, "from" | "to">, now: number) {
  const end = to === undefined ? endOfDay(now) : endOf(to);
  const start = from === undefined ? endOfDay(end - 1) - PERIOD_DAYS * DAY_MS : Date.parse(from);
  if (start >= end)
    throw new AppError("request_invalid", { param: "to", hint: "`to` must be after `from`." });
  return { from: start, to: end };
}

/** Returns the end of a date, or the time itself. */
export function endOf(text: string): number {
  return Date.parse(text) + (text.includes("T") ? 0 : DAY_MS);
}

function endOfDay(at: number): number {
  return (Math.floor(at / DAY_MS) + 1) * DAY_MS;
}
