import { getTableColumns } from "drizzle-orm";
import { userIdOf } from "../../principal.ts";
import { TOKENS_MAX } from "../../protocol/agent-v2.ts";
import type { UsageGroup, UsageRow, UsageStore, UsageSum, UsageSumQuery } from "../store.ts";
import type { Connection } from "./database.ts";
import { createPurge } from "./purge.ts";
import { usage } from "./schema.ts";
import { createWriteBehind, type WriteBehindOptions } from "./write-behind.ts";

const { seq: _seq, ...COLUMNS } = getTableColumns(usage);
const FIELDS = Object.keys(COLUMNS) as (keyof typeof COLUMNS)[];
/** The value of each column. */
type Values = Readonly<Record<keyof typeof COLUMNS, string | number | null>>;

/** Agents and callers choose the names of agents and models. This much of each is kept. */
const NAME_LENGTH_MAX = 256;

/** Runs for every ask, so it is prepared without drizzle, which would take as long as SQLite itself. */
const INSERT = `
  INSERT INTO usage (${Object.values(COLUMNS).map(({ name }) => name)})
  VALUES (${FIELDS.map(() => "?")})`;

export function createUsageStore(options: WriteBehindOptions) {
  const { connection } = options;
  const insert = connection.raw.prepare<never, (string | number | null)[]>(INSERT);
  const behind = createWriteBehind(options, {
    noun: "usage rows",
    keyOf: (row: Values) => row,
    write: (row) => insert.run(...FIELDS.map((field) => row[field])),
  });
  const sum = createSum(connection);
  const countImplausible = connection.raw.prepare<{ rows: number }, [number]>(
    `SELECT count(*) AS rows FROM usage WHERE at >= ?1 AND NOT ${IS_PLAUSIBLE}`,
  );
  const purge = createPurge(connection, "usage", "at");

  return {
    record(row) {
      behind.put(valuesOf(row));
    },

    async sum(query) {
      await behind.tryFlush();
      return sum(query);
    },

    unwritten: behind.unwritten,

    async tokensSince(from) {
      await behind.flush();
      const users = await sum({ from, to: Number.MAX_SAFE_INTEGER, by: ["user"], limit: Infinity });
      const tokens = new Map<string, number>();
      for (const { group, inputTokens, outputTokens } of users)
        if (typeof group.user === "string") tokens.set(group.user, inputTokens + outputTokens);
      return tokens;
    },

    async implausibleSince(from) {
      await behind.flush();
      return countImplausible.get(from)?.rows ?? 0;
    },

    async purge(before) {
      await behind.flush();
      return purge(before);
    },

    end: behind.end,
  } satisfies UsageStore & { end(): Promise<void> };
}

function valuesOf(row: UsageRow): Values {
  const { firstByteMs, agent, model } = row;
  return {
    at: row.at,
    requestId: row.requestId,
    userId: userIdOf(row.principal),
    agent: agent?.slice(0, NAME_LENGTH_MAX) ?? null,
    model: model?.slice(0, NAME_LENGTH_MAX) ?? null,
    surface: row.surface,
    outcome: row.outcome,
    upstreamStatus: row.upstreamStatus ?? null,
    tries: row.tries,
    queueMs: Math.round(row.queueMs),
    firstByteMs: firstByteMs === undefined ? null : Math.round(firstByteMs),
    durationMs: Math.round(row.durationMs),
    inputTokens: row.inputTokens ?? null,
    outputTokens: row.outputTokens ?? null,
    cachedTokens: row.cachedTokens ?? null,
    cacheCreationTokens: row.cacheCreationTokens ?? null,
    reasoningTokens: row.reasoningTokens ?? null,
    tokensEstimated: Number(row.tokensEstimated),
  };
}

type Sums = Omit<UsageSum, "group">;
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
const isPlausibleOrNull = (column: string) => `(${column} IS NULL OR ${isBetween(column, TOKENS_MAX)})`;

/**
 * Whether the token counts of a row can be right. Rows may have been written by an earlier version, which
 * trusted agents, or by another program.
 */
const IS_PLAUSIBLE = `(${isPlausibleOrNull("prompt_tokens")} AND ${isPlausibleOrNull("completion_tokens")})`;
/** Adds up a part of the counted tokens. A part that cannot be right does not make the row implausible. */
const totalOfPart = (column: string) =>
  `total(iif(${IS_PLAUSIBLE} AND ${isBetween(column, TOKENS_MAX)}, ${column}, 0))`;
const DURATION_MS_MAX = 1e12;

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
};
const SUM_NAMES = Object.keys(SUM_SQL) as (keyof Sums)[];
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

function byDayAndAsks(a: UsageSum, b: UsageSum): number {
  return (a.group.day ?? "").localeCompare(b.group.day ?? "") || b.asks - a.asks;
}
