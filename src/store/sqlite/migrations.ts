import type { Database } from "bun:sqlite";
import users from "../../../drizzle/sqlite/0000_users.sql" with { type: "text" };
import turns from "../../../drizzle/sqlite/0001_turns.sql" with { type: "text" };
import operations from "../../../drizzle/sqlite/0002_operations.sql" with { type: "text" };
import tokenDetails from "../../../drizzle/sqlite/0003_token_details.sql" with { type: "text" };
import tokensEstimated from "../../../drizzle/sqlite/0004_tokens_estimated.sql" with { type: "text" };
import conversationLength from "../../../drizzle/sqlite/0005_conversation_length.sql" with { type: "text" };
import routing from "../../../drizzle/sqlite/0006_routing.sql" with { type: "text" };
import usageIndex from "../../../drizzle/sqlite/0007_usage_index.sql" with { type: "text" };
import sessions from "../../../drizzle/sqlite/0008_sessions.sql" with { type: "text" };
import pairings from "../../../drizzle/sqlite/0009_pairings.sql" with { type: "text" };
import responses from "../../../drizzle/sqlite/0010_responses.sql" with { type: "text" };
import requests from "../../../drizzle/sqlite/0011_requests.sql" with { type: "text" };
import refusals from "../../../drizzle/sqlite/0012_refusals.sql" with { type: "text" };
import settings from "../../../drizzle/sqlite/0013_settings.sql" with { type: "text" };
import sessionOrigin from "../../../drizzle/sqlite/0014_session_origin.sql" with { type: "text" };
import mediaUsage from "../../../drizzle/sqlite/0015_media_usage.sql" with { type: "text" };
import cost from "../../../drizzle/sqlite/0016_cost.sql" with { type: "text" };
import usageFailed from "../../../drizzle/sqlite/0017_usage_failed_index.sql" with { type: "text" };
import { CommandError } from "../../errors.ts";
import { readNumber } from "./database.ts";

export interface Migration {
  /** The file's name in `drizzle/sqlite/`. */
  name: string;
  sql: string;
}

/** The migrations in their order. A database's `user_version` is the number of those that it has had. */
export const MIGRATIONS: readonly Migration[] = [
  { name: "0000_users.sql", sql: users },
  { name: "0001_turns.sql", sql: turns },
  { name: "0002_operations.sql", sql: operations },
  { name: "0003_token_details.sql", sql: tokenDetails },
  { name: "0004_tokens_estimated.sql", sql: tokensEstimated },
  { name: "0005_conversation_length.sql", sql: conversationLength },
  { name: "0006_routing.sql", sql: routing },
  { name: "0007_usage_index.sql", sql: usageIndex },
  { name: "0008_sessions.sql", sql: sessions },
  { name: "0009_pairings.sql", sql: pairings },
  { name: "0010_responses.sql", sql: responses },
  { name: "0011_requests.sql", sql: requests },
  { name: "0012_refusals.sql", sql: refusals },
  { name: "0013_settings.sql", sql: settings },
  { name: "0014_session_origin.sql", sql: sessionOrigin },
  { name: "0015_media_usage.sql", sql: mediaUsage },
  { name: "0016_cost.sql", sql: cost },
  { name: "0017_usage_failed_index.sql", sql: usageFailed },
];

/** "ChAS", in the header of our databases, so that another program's is never mistaken for one. */
export const APPLICATION_ID = 0x43684153;

/** Throws a `CommandError` when this program must not touch the database. Changes nothing. */
export function checkVersion(database: Database, migrations = MIGRATIONS): void {
  // One transaction, as another process may be creating the tables in the same new file.
  const read = database.transaction(() => ({
    version: readNumber(database, "PRAGMA user_version"),
    ours: readNumber(database, "PRAGMA application_id") === APPLICATION_ID,
    empty: database.query("SELECT 1 FROM sqlite_schema LIMIT 1").get() === null,
  }));
  const { version, ours, empty } = read();
  if (!ours && !(empty && version === 0))
    throw new CommandError(
      `The database ${database.filename} belongs to another program. Move it away, or choose another data folder.`,
    );
  if (version > migrations.length)
    throw new CommandError(
      `A newer version of this program wrote the database ${database.filename}. Run that version, or restore an older backup.`,
    );
}

/**
 * Applies the missing migrations, each in its own transaction together with its number. Safe while other
 * processes do the same: the number is read again under the write lock.
 */
export function migrate(database: Database, migrations = MIGRATIONS): void {
  if (readNumber(database, "PRAGMA user_version") >= migrations.length) return;
  // Rebuilding a table drops the old one, which would delete the rows that refer to it. The setting cannot be
  // changed inside a transaction. https://www.sqlite.org/lang_altertable.html#otheralter
  database.run("PRAGMA foreign_keys = OFF");
  for (const [index, migration] of migrations.entries()) apply(database, migration, index + 1);
  database.run("PRAGMA foreign_keys = ON");
}

function apply(database: Database, migration: Migration, version: number): void {
  const change = database.transaction(() => {
    if (readNumber(database, "PRAGMA user_version") >= version) return;
    database.run(migration.sql);
    const broken = database.query("PRAGMA foreign_key_check").all().length;
    if (broken > 0) throw new Error(`${migration.name} leaves ${broken} rows that refer to missing rows`);
    database.run(`PRAGMA application_id = ${APPLICATION_ID}`);
    database.run(`PRAGMA user_version = ${version}`);
  });
  change.immediate();
}
