import type { z } from "zod";
import { DAY_MS } from "../../durations.ts";
import { AppError } from "../../errors.ts";
import type { PriceBook } from "../../prices/price-book.ts";
import { type Principal, principalNamed, userPrincipal } from "../../principal.ts";
import type { NamedGroup, RefusalStore, UsageGroup, UsageStore } from "../../store/store.ts";
import { csvResponse } from "../csv.ts";
import { resource, route } from "../route.ts";
import { entryOf, idsOf, type Names, usageEntries, usageTable } from "./entries.ts";
import { endOf } from "./query-fields.ts";
import { OwnUsageQuery, UsageAnswer, UsageQuery, UserUsageQuery } from "./schema.ts";

interface UsageDeps {
  usage: Pick<UsageStore, "sum" | "unwritten" | "names">;
  refusals: Pick<RefusalStore, "sum">;
  prices: Pick<PriceBook, "currency">;
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
    currency: "EUR",
    usage: [
      {
        ...{ day: "2026-11-23", asks: 3, failed: 1, prompt_tokens: 14, completion_tokens: 6 },
        ...{ cached_tokens: 8, cache_creation_tokens: 0, reasoning_tokens: 2 },
        ...{ estimated: 1, uncounted: 1, duration_ms: 840 },
        ...{ audio_seconds: 8.47, images: 0, search_units: 0, input_bytes: 271_360, output_bytes: 128 },
        ...{ cost: 0.000161, unpriced: 0, refused: 2, refusals: { limit_requests: 2 } },
      },
    ],
  },
  other: {
    "text/csv": {
      description: "A line of column names, then a line for each entry.",
      example:
        "day,asks,failed,prompt_tokens,completion_tokens,cached_tokens,cache_creation_tokens,reasoning_tokens,estimated,uncounted,duration_ms,audio_seconds,images,search_units,input_bytes,output_bytes,cost,unpriced,refused,refusals\r\n2026-11-23,3,1,14,6,8,0,2,1,1,840,8.47,0,0,271360,128,0.000161,0,2,limit_requests 2\r\n",
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

/** Returns the usage of one principal, or of all. */
async function answerUsage(
  { usage: store, refusals, prices, now }: UsageDeps,
  { format, limit, by, ...times }: Query,
  principal: Principal | undefined,
) {
  const { from, to } = periodOf(times, now());
  const query = { from, to, by, principal };
  const [sums, refused] = await Promise.all([store.sum({ ...query, limit: limit + 1 }), refusals.sum(query)]);
  const unwritten = store.unwritten();
  const all = usageEntries(sums, refused);
  const truncated = all.length > limit;
  const shown = all.slice(0, limit);
  const names = await findNames(store, by, shown);
  const usage = shown.map((entry) => entryOf(entry, names));
  const warning =
    unwritten > 0
      ? `${unwritten} requests are missing: they could not be written. Check the disk.`
      : undefined;
  const period = { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
  if (format === "csv")
    return csvResponse(fileNameOf(by, period), usageTable(by, usage), {
      ...(truncated && { "x-truncated": "true" }),
      ...(warning && { "x-warning": warning }),
    });
  return { ...period, by, truncated, currency: prices.currency, ...(warning && { warning }), usage };
}

async function findNames(
  store: Pick<UsageStore, "names">,
  by: readonly UsageGroup[],
  entries: ReturnType<typeof usageEntries>,
): Promise<Names> {
  const find = async (kind: NamedGroup) =>
    by.includes(kind) ? { [kind]: await store.names(kind, idsOf(entries, kind)) } : {};
  return { ...(await find("user")), ...(await find("agent")) };
}

/** Returns a name such as `usage-by-agent-2026-10-29_2026-11-27.csv`. Its days are the first and the last one. */
function fileNameOf(by: readonly UsageGroup[], { from, to }: { from: string; to: string }): string {
  const last = new Date(Date.parse(to) - 1).toISOString();
  const groups = by.length > 0 ? `-by-${by.join("-")}` : "";
  return `usage${groups}-${from.slice(0, 10)}_${last.slice(0, 10)}.csv`;
}

/** Returns the period in milliseconds since 1970. Throws an `AppError` request_invalid if it is empty. */
function periodOf({ from, to }: Pick<Query, "from" | "to">, now: number) {
  const end = to === undefined ? endOfDay(now) : endOf(to);
  const start = from === undefined ? endOfDay(end - 1) - PERIOD_DAYS * DAY_MS : Date.parse(from);
  if (start >= end)
    throw new AppError("request_invalid", { param: "to", hint: "`to` must be after `from`." });
  return { from: start, to: end };
}

function endOfDay(at: number): number {
  return (Math.floor(at / DAY_MS) + 1) * DAY_MS;
}
