import { getTableColumns } from "drizzle-orm";
import { userIdOf } from "../../principal.ts";
import { TOKENS_MAX } from "../../protocol/agent-v2.ts";
import { MEDIA_MAX } from "../../protocol/bytes/media-usage.ts";
import type { Spent, UsageGroup, UsageStore, UsageSum, UsageSumQuery } from "../store.ts";
import {
  byDayAndAsks,
  DURATION_MS_MAX,
  EVERY_USER,
  MEDIA_FIELDS,
  SUM_NAMES,
  type Sums,
  type UsageValues,
  usageValues,
  usedOf,
} from "../usage.ts";
import { createWriteBehind } from "../write-behind.ts";
import type { Connection, SqliteBehindOptions } from "./database.ts";
import { prepareInserts } from "./inserts.ts";
import { createRequestList } from "./records/requests.ts";
import { createCosts } from "./reports/costs.ts";
import { createNames } from "./reports/names.ts";
import { usage } from "./schema.ts";
import { createPurge } from "./upkeep/purge.ts";

const { seq: _seq, ...COLUMNS } = getTableColumns(usage);
type Field = keyof typeof COLUMNS;
const MEDIA: ReadonlySet<string> = new Set(MEDIA_FIELDS);

/** The names of the columns by field: those that every row has, or all. */
const columnNames = (hasMedia: boolean) =>
  Object.fromEntries(
    Object.entries(COLUMNS)
      .filter(([field]) => hasMedia || !MEDIA.has(field))
      .map(([field, { name }]) => [field, name]),
  ) as Record<Field, string>;

export function createUsageStore(behindOptions: SqliteBehindOptions) {
  const { connection, onWritten, ...options } = behindOptions;
  const names = createNames(behindOptions);
  const insert = prepareInserts(connection.raw, "usage", columnNames(false));
  const insertWithMedia = prepareInserts(connection.raw, "usage", columnNames(true));
  const behind = createWriteBehind(options, {
    noun: "usage rows",
    keyOf: (row: UsageValues) => row,
    async writeBatch(rows) {
      await connection.write(() => (rows.some(hasMedia) ? insertWithMedia(rows) : insert(rows)), {
        durable: false,
      });
      onWritten?.();
    },
  });
  const sum = createSum(connection);
  const list = createRequestList(connection);
  const countImplausible = connection.raw.prepare<{ rows: number }, [number]>(
    `SELECT count(*) AS rows FROM usage WHERE at >= ?1 AND NOT ${IS_PLAUSIBLE}`,
  );
  const costs = createCosts(connection);
  const spentByUsers = connection.raw.prepare<Spent & { user: string }, [number, number, number, string]>(
    `SELECT user_id AS user, ${SUM_SQL.inputTokens} + ${SUM_SQL.outputTokens} AS tokens,
        ${SUM_SQL.costNanos} AS costNanos FROM usage
      WHERE at >= ?1 AND at < ?2 AND at + duration_ms < ?3 AND user_id IN (SELECT value FROM json_each(?4))
      GROUP BY user_id`,
  );
  const purge = createPurge(connection, "usage", "at");

  return {
    record(row) {
      behind.put(usageValues(row));
      names.note(row);
    },

    async sum(query) {
      await behind.tryFlush();
      return sum(query);
    },

    async list(query) {
      await behind.tryFlush();
      return list(query);
    },

    unwritten: behind.unwritten,

    async usedSince({ day, month }) {
      await behind.flush();
      return usedOf(await sum({ ...EVERY_USER, from: day }), await costs.everyUser(month));
    },

    async spentByUsers(users, { from, to = Number.MAX_SAFE_INTEGER, endedBefore }) {
      await behind.flush();
      const rows = spentByUsers.all(from, to, endedBefore, JSON.stringify(users));
      return new Map(rows.map(({ user, ...spent }) => [user, spent]));
    },

    async costOfUsers(users, period) {
      await behind.flush();
      return costs.ofUsers(users, period);
    },

    async implausibleSince(from) {
      await behind.flush();
      return countImplausible.get(from)?.rows ?? 0;
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

const hasMedia = (row: UsageValues): boolean => MEDIA_FIELDS.some((field) => field in row);

/** The sums of one slice, with the value of each group under its name. */
type Row = Sums & Partial<Record<UsageGroup, string | null>>;

/** The rows summed at a time, so that a long period does not block asks. */
const SLICE_ROWS = 5_000;

const GROUP_SQL: Record<UsageGroup, string> = {
  user: "user_id",
  agent: "agent",
  model: "model",
  day: "strftime('%Y-%m-%d', at / 1000, 'unixepoch')",
};

/** SQL that is true for an integer from 0 to `max`. */
const isBetween = (column: string, max: number) =>
  `(typeof(${column}) = 'integer' AND ${column} BETWEEN 0 AND ${max})`;
const IS_COST = isBetween("cost_nanos", Number.MAX_SAFE_INTEGER);
const isPlausibleOrNull = (column: string) => `(${column} IS NULL OR ${isBetween(column, TOKENS_MAX)})`;

/**
 * Whether the token counts of a row can be right. Rows may have been written by an earlier version, which
 * trusted agents, or by another program.
 */
const IS_PLAUSIBLE = `(${isPlausibleOrNull("prompt_tokens")} AND ${isPlausibleOrNull("completion_tokens")})`;
/** Adds up a part of the counted tokens. A part that cannot be right does not make the row implausible. */
const totalOfPart = (column: string) =>
  `total(iif(${IS_PLAUSIBLE} AND ${isBetween(column, TOKENS_MAX)}, ${column}, 0))`;
const totalOfMedia = (name: keyof typeof MEDIA_MAX) => {
  const column = COLUMNS[name].name;
  return `total(${column}) FILTER (WHERE ${isBetween(column, MEDIA_MAX[name])})`;
};

/**
 * The SQL of each sum over the rows of a group. Numbers are added with `total`, as SQLite's `sum` fails when
 * it overflows: no row may break a report or the start of the server.
 */
const SUM_SQL: Record<keyof Sums, string> = {
  asks: "count(*)",
  failed: "sum(outcome <> 'ok')",
  inputTokens: `total(iif(${IS_PLAUSIBLE}, prompt_tokens, 0))`,
  outputTokens: `total(iif(${IS_PLAUSIBLE}, completion_tokens, 0))`,
  cachedTokens: totalOfPart("cached_tokens"),
  cacheCreationTokens: totalOfPart("cache_creation_tokens"),
  reasoningTokens: totalOfPart("reasoning_tokens"),
  estimated: `count(iif(tokens_estimated = 1 AND ${IS_PLAUSIBLE}, 1, NULL))`,
  uncounted: `sum(agent IS NOT NULL AND (coalesce(prompt_tokens, completion_tokens) IS NULL OR NOT ${IS_PLAUSIBLE}))`,
  durationMs: `total(iif(${isBetween("duration_ms", DURATION_MS_MAX)}, duration_ms, 0))`,
  audioMs: totalOfMedia("audioMs"),
  images: totalOfMedia("images"),
  searchUnits: totalOfMedia("searchUnits"),
  inputBytes: totalOfMedia("inputBytes"),
  outputBytes: totalOfMedia("outputBytes"),
  costNanos: `total(iif(${IS_COST}, cost_nanos, 0))`,
  unpriced: `sum(agent IS NOT NULL AND NOT ${IS_COST})`,
};
const SUMS = SUM_NAMES.map((name) => `${SUM_SQL[name]} AS ${name}`).join(", ");
const NO_ASKS = Object.fromEntries(SUM_NAMES.map((name) => [name, 0])) as unknown as Sums;

function createSum({ raw }: Connection): (query: UsageSumQuery) => Promise<UsageSum[]> {
  const prepared = new Map<string, ReturnType<typeof prepareSlice>>();
  /** Finds the time at which the slice that starts at `from` ends. */
  const sliceEnd = raw.prepare<{ at: number }, [number, number]>(
    `SELECT at FROM usage WHERE at >= ?1 AND at < ?2 ORDER BY at LIMIT 1 OFFSET ${SLICE_ROWS}`,
  );

  function prepareSlice(by: readonly UsageGroup[], hasPrincipal: boolean) {
    const groups = by.map((group) => `${GROUP_SQL[group]} AS "${group}",`).join(" ");
    const grouping = by.length > 0 ? by.map((_, index) => index + 1).join(", ") : "NULL";
    const user = hasPrincipal ? "AND user_id IS ?3" : "";
    return raw.prepare<Row, [number, number, ...(string | null)[]]>(
      `SELECT ${groups} ${SUMS} FROM usage WHERE at >= ?1 AND at < ?2 ${user} GROUP BY ${grouping}`,
    );
  }

  function sliceOf(by: readonly UsageGroup[], hasPrincipal: boolean) {
    const key = `${by} ${hasPrincipal}`;
    const known = prepared.get(key) ?? prepareSlice(by, hasPrincipal);
    prepared.set(key, known);
    return known;
  }

  return async ({ from, to, by, principal, limit }) => {
    const groups = [...new Set(by)];
    const slice = sliceOf(groups, principal !== undefined);
    const found = new Map<string, UsageSum>();
    for (let start = from; start < to; ) {
      const end = Math.max(sliceEnd.get(start, to)?.at ?? to, start + 1);
      const rows = principal ? slice.all(start, end, userIdOf(principal)) : slice.all(start, end);
      for (const row of rows) addTo(found, groups, row);
      start = end;
      if (start < to) await new Promise(setImmediate);
    }
    return [...found.values()].sort(byDayAndAsks).slice(0, limit);
  };
}

function addTo(found: Map<string, UsageSum>, by: readonly UsageGroup[], row: Row): void {
  const group = Object.fromEntries(by.map((name) => [name, row[name] ?? null]));
  const key = JSON.stringify(group);
  const sum = found.get(key) ?? { group, ...NO_ASKS };
  for (const name of SUM_NAMES) sum[name] += row[name];
  found.set(key, sum);
}
