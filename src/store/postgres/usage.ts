import { getTableColumns } from "drizzle-orm";
import { userIdOf } from "../../principal.ts";
import { TOKENS_MAX } from "../../protocol/agent-v2.ts";
import { MEDIA_MAX } from "../../protocol/bytes/media-usage.ts";
import type { Spent, UsageGroup, UsagePeriod, UsageStore, UsageSum, UsageSumQuery } from "../store.ts";
import {
  byDayAndAsks,
  DURATION_MS_MAX,
  EVERY_USER,
  SUM_NAMES,
  type Sums,
  type UsageValues,
  type UserCost,
  usageValues,
  usedOf,
} from "../usage.ts";
import { createWriteBehind, type WriteBehindOptions } from "../write-behind.ts";
import type { Pool } from "./pool.ts";
import type { Pools } from "./pools.ts";
import { createPurge } from "./purge.ts";
import { listRequests } from "./records/requests.ts";
import { createNames } from "./reports/names.ts";
import { insertInto, plain, rowsOf } from "./rows.ts";
import { usage } from "./schema.ts";

const FLUSH_MS = 50;

type Row = UsageValues & { id: string };

/**
 * Rows have ids in the order of time, and are only ever inserted: servers that change rows in common would wait
 * for each other. A row that is there was written by an attempt whose result got lost.
 */
const INSERT = `${insertInto(usage, Object.keys(getTableColumns(usage)))} ON CONFLICT DO NOTHING`;

export function createUsageStore(pools: Pools, options: WriteBehindOptions) {
  const { hot, cold } = pools;
  const names = createNames(pools, options);
  const behind = createWriteBehind(
    { ...options, flushMs: FLUSH_MS },
    {
      noun: "usage rows",
      keyOf: (row: Row) => row,
      writeBatch: async (rows) => void (await hot.run(INSERT, [rowsOf(usage, rows.map(exact))])),
    },
  );
  const purge = createPurge(cold, "usage", "at");

  return {
    record(row) {
      behind.put({ id: Bun.randomUUIDv7(), ...usageValues(row) });
      names.note(row);
    },

    async sum(query) {
      await behind.tryFlush();
      return sum(cold, query);
    },

    async list(query) {
      await behind.tryFlush();
      return listRequests(cold, query);
    },

    unwritten: behind.unwritten,

    async usedSince({ day, month }) {
      await behind.flush();
      const costs = await cold.read<UserCost>(EVERY_COST, [month]);
      return usedOf(await sum(cold, { ...EVERY_USER, from: day }), costs);
    },

    async spentByUsers(users, period) {
      await behind.tryFlush();
      const rows = await cold.read<Spent & { user: string }>(USERS_SPENT, periodValues(users, period));
      return new Map(rows.map(({ user, ...spent }) => [user, spent]));
    },

    async costOfUsers(users, period) {
      await behind.tryFlush();
      const rows = await cold.read<UserCost>(USERS_COST, periodValues(users, period));
      return new Map(rows.map(({ user, costNanos }) => [user, costNanos]));
    },

    async implausibleSince(from) {
      await behind.flush();
      const [found] = await cold.read<{ rows: number }>(COUNT_IMPLAUSIBLE, [from]);
      return found?.rows ?? 0;
    },

    names: names.find,

    async purge(before) {
      await behind.flush();
      await names.purge(before);
      return purge(before);
    },

    end: async () => void (await Promise.all([behind.end(), names.end()])),
  } satisfies UsageStore & { end(): Promise<void> };
}

/** Returns the row without numbers that the columns refuse: one such row would keep its batch from being written. */
function exact(row: Row): object {
  return Object.values(row).every(isExact) ? row : exactly(row);
}

function exactly(row: Row): object {
  const entries = Object.entries(row).map(([name, value]) =>
    isExact(value) ? [name, value] : [name, name in NEEDED ? 0 : null],
  );
  return Object.fromEntries(entries);
}

const isExact = (value: unknown) => typeof value !== "number" || Number.isSafeInteger(value);

const NEEDED = { at: true, tries: true, queueMs: true, durationMs: true };

const GROUP_SQL: Record<UsageGroup, string> = {
  user: "user_id",
  agent: "agent",
  model: "model",
  day: "to_char(to_timestamp(at / 1000) AT TIME ZONE 'UTC', 'YYYY-MM-DD')",
};

const isBetween = (column: string, max: number) => `${column} BETWEEN 0 AND ${max}`;
const IS_COST = isBetween("cost_nanos", Number.MAX_SAFE_INTEGER);
const isPlausibleOrNull = (column: string) => `(${column} IS NULL OR ${isBetween(column, TOKENS_MAX)})`;

/** Whether the token counts of a row can be right. */
const IS_PLAUSIBLE = `(${isPlausibleOrNull("prompt_tokens")} AND ${isPlausibleOrNull("completion_tokens")})`;
const total = (column: string, condition: string) =>
  `coalesce(sum(${column}) FILTER (WHERE ${condition}), 0)`;
/** Adds up a part of the counted tokens. A part that cannot be right does not make the row implausible. */
const totalOfPart = (column: string) => total(column, `${IS_PLAUSIBLE} AND ${isBetween(column, TOKENS_MAX)}`);

const totalOfMedia = (name: keyof typeof MEDIA_MAX) => {
  const { name: column } = usage[name];
  return total(column, isBetween(column, MEDIA_MAX[name]));
};

/** The SQL of each sum over the rows of a group. */
const SUM_SQL: Record<keyof Sums, string> = {
  asks: "count(*)",
  failed: "count(*) FILTER (WHERE outcome <> 'ok')",
  inputTokens: total("prompt_tokens", IS_PLAUSIBLE),
  outputTokens: total("completion_tokens", IS_PLAUSIBLE),
  cachedTokens: totalOfPart("cached_tokens"),
  cacheCreationTokens: totalOfPart("cache_creation_tokens"),
  reasoningTokens: totalOfPart("reasoning_tokens"),
  estimated: `count(*) FILTER (WHERE tokens_estimated AND ${IS_PLAUSIBLE})`,
  uncounted: `count(*) FILTER (WHERE agent IS NOT NULL
    AND (coalesce(prompt_tokens, completion_tokens) IS NULL OR NOT ${IS_PLAUSIBLE}))`,
  durationMs: total("duration_ms", isBetween("duration_ms", DURATION_MS_MAX)),
  audioMs: totalOfMedia("audioMs"),
  images: totalOfMedia("images"),
  searchUnits: totalOfMedia("searchUnits"),
  inputBytes: totalOfMedia("inputBytes"),
  outputBytes: totalOfMedia("outputBytes"),
  costNanos: total("cost_nanos", IS_COST),
  unpriced: `count(*) FILTER (WHERE agent IS NOT NULL AND ${IS_COST} IS NOT TRUE)`,
};
const SUMS = SUM_NAMES.map((name) => `(${SUM_SQL[name]})::float8 AS "${name}"`).join(", ");

const OF_USERS = `WHERE at >= $1::float8::bigint AND at < $2::float8::bigint
  AND at + duration_ms < $3::float8::bigint AND user_id IN (SELECT json_array_elements_text($4::text::json))`;
const USERS_SPENT = `SELECT user_id AS user, (${SUM_SQL.inputTokens} + ${SUM_SQL.outputTokens})::float8 AS tokens,
  (${SUM_SQL.costNanos})::float8 AS "costNanos" FROM usage ${OF_USERS} GROUP BY user_id`;

/** Only rows with `cost_nanos > 0` are in the index of the costs, which has all that these need. */
const COST = `SELECT user_id AS user, sum(cost_nanos)::float8 AS "costNanos" FROM usage`;
const USERS_COST = `${COST} ${OF_USERS} AND cost_nanos > 0 GROUP BY user_id`;
const EVERY_COST = `${COST} WHERE at >= $1::float8::bigint AND cost_nanos > 0 AND user_id IS NOT NULL GROUP BY user_id`;

/** The times are sent as doubles, and must be exact as such. */
function periodValues(users: readonly string[], { from, to = 2 ** 53, endedBefore }: UsagePeriod) {
  return [from, to, endedBefore, JSON.stringify(users)];
}

const COUNT_IMPLAUSIBLE = `SELECT count(*)::float8 AS rows FROM usage WHERE at >= $1::float8::bigint AND NOT ${IS_PLAUSIBLE}`;

async function sum(pool: Pool, { from, to, by, principal, limit }: UsageSumQuery): Promise<UsageSum[]> {
  const groups = [...new Set(by)];
  const keys = groups.map((group) => `${GROUP_SQL[group]} AS "${group}"`);
  const grouping = groups.length > 0 ? `GROUP BY ${groups.map((_, index) => index + 1)}` : "";
  const user = principal && userIdOf(principal);
  const ofPrincipal = principal ? "AND user_id IS NOT DISTINCT FROM $3" : "";
  const rows = await pool.read<Sums & Partial<Record<UsageGroup, string | null>>>(
    `SELECT ${[...keys, SUMS].join(", ")} FROM usage
      WHERE at >= $1::float8::bigint AND at < $2::float8::bigint ${ofPrincipal} ${grouping} HAVING count(*) > 0`,
    [from, to, ...(principal ? [user == null ? null : plain(user)] : [])],
  );
  const sums = rows.map((row) => {
    const group = Object.fromEntries(groups.map((name) => [name, row[name] ?? null]));
    const values = Object.fromEntries(SUM_NAMES.map((name) => [name, row[name]])) as unknown as Sums;
    return { group, ...values };
  });
  return sums.sort(byDayAndAsks).slice(0, limit);
}
