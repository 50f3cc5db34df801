import first from "../../../drizzle/postgres/0000_first.sql" with { type: "text" };
import sessions from "../../../drizzle/postgres/0001_sessions.sql" with { type: "text" };
import pairings from "../../../drizzle/postgres/0002_pairings.sql" with { type: "text" };
import responses from "../../../drizzle/postgres/0003_responses.sql" with { type: "text" };
import requests from "../../../drizzle/postgres/0004_requests.sql" with { type: "text" };
import refusals from "../../../drizzle/postgres/0005_refusals.sql" with { type: "text" };
import settings from "../../../drizzle/postgres/0006_settings.sql" with { type: "text" };
import sessionOrigin from "../../../drizzle/postgres/0007_session_origin.sql" with { type: "text" };
import mediaUsage from "../../../drizzle/postgres/0008_media_usage.sql" with { type: "text" };
import cost from "../../../drizzle/postgres/0009_cost.sql" with { type: "text" };
import usageFailed from "../../../drizzle/postgres/0010_usage_failed_index.sql" with { type: "text" };
import { CommandError } from "../../errors.ts";
import type { Pool, Run } from "./pool.ts";

export interface Migration {
  /** The file's name in `drizzle/postgres/`. */
  name: string;
  sql: string;
  /** The lowest version of a program that can use the database after it. A version is a number of migrations. */
  readableFrom: number;
}

/** The migrations in their order. */
export const MIGRATIONS: readonly Migration[] = [
  { name: "0000_first.sql", sql: first, readableFrom: 1 },
  { name: "0001_sessions.sql", sql: sessions, readableFrom: 1 },
  { name: "0002_pairings.sql", sql: pairings, readableFrom: 1 },
  { name: "0003_responses.sql", sql: responses, readableFrom: 1 },
  { name: "0004_requests.sql", sql: requests, readableFrom: 1 },
  { name: "0005_refusals.sql", sql: refusals, readableFrom: 1 },
  { name: "0006_settings.sql", sql: settings, readableFrom: 1 },
  { name: "0007_session_origin.sql", sql: sessionOrigin, readableFrom: 1 },
  { name: "0008_media_usage.sql", sql: mediaUsage, readableFrom: 1 },
  { name: "0009_cost.sql", sql: cost, readableFrom: 1 },
  { name: "0010_usage_failed_index.sql", sql: usageFailed, readableFrom: 1 },
];

/** Any number, the same in every version. It is a lock of one database only. */
const LOCK = 0x43684153;

/**
 * Applies the missing migrations, each in its own transaction. Safe while other servers do the same, and while
 * servers of an earlier version use the database. Resolves with whether this call found it empty. Throws a
 * `CommandError` when this program must not use the database.
 */
export async function migrate(pool: Pool, migrations = MIGRATIONS): Promise<boolean> {
  let { version } = await pool.transact(check(migrations.length));
  let isNew = false;
  while (version < migrations.length) {
    const { sql, readableFrom } = migrations[version] as Migration;
    version = await pool.transact(async (run) => {
      await run("SELECT pg_advisory_xact_lock($1::bigint)", [LOCK]);
      const found = (await check(migrations.length)(run)).version;
      if (found !== version) return found;
      for (const statement of sql.split("--> statement-breakpoint")) await run(statement);
      await run("DELETE FROM server");
      await run("INSERT INTO server VALUES ($1::int, $2::int)", [found + 1, readableFrom]);
      isNew ||= found === 0;
      return found + 1;
    });
  }
  return isNew;
}

/** Returns a function that reads the version, and refuses a database that this program must not use. */
const check = (own: number) => async (run: Run) => {
  const [state] = await run<{ ours: boolean; empty: boolean }>(
    `SELECT to_regclass('server') IS NOT NULL AND to_regclass('agent_keys') IS NOT NULL AS ours,
      NOT EXISTS (SELECT 1 FROM pg_tables WHERE schemaname = current_schema()) AS empty`,
  );
  if (state?.empty) return { version: 0 };
  if (!state?.ours)
    throw new CommandError(
      "The database has tables of another program. Name an empty database with --database.",
    );
  const [found] = await run<{ version: number; readableFrom: number }>(
    `SELECT version::float8 AS version, readable_from::float8 AS "readableFrom" FROM server`,
  );
  if (found && found.readableFrom > own)
    throw new CommandError(
      "A newer version of this program has changed the database, and this one cannot use it. Run that version.",
    );
  return { version: found?.version ?? 0 };
};
