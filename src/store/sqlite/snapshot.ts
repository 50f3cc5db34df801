import { Database } from "bun:sqlite";
import { closeSync, openSync } from "node:fs";
import { CommandError } from "../../errors.ts";
import { hasCode, readNumber } from "./database.ts";
import { checkVersion, MIGRATIONS } from "./migrations.ts";
import { checkOwnSchema } from "./own-schema.ts";

const BUSY_TIMEOUT_MS = 5_000;

/** The version of this program's schema. */
export const SCHEMA_VERSION = MIGRATIONS.length;

/**
 * Copies the database as it is at this moment into a new file of mode 600, without the sessions and the codes: a restored one might
 * have ended since. Others may read and write the database meanwhile, without waiting. Throws a `CommandError` when the database belongs to another program or a newer
 * version.
 */
export function copyDatabase(path: string, copy: string): void {
  // SQLite treats an empty file as a new one, and keeps its mode.
  closeSync(openSync(copy, "wx", 0o600));
  withDatabase(path, (database) => database.run("VACUUM INTO ?", [copy]));
  withDatabase(copy, (database) => {
    database.run("PRAGMA secure_delete = ON");
    for (const table of ["sessions", "sign_in_codes", "pairings"])
      if (hasTable(database, table)) database.run(`DELETE FROM ${table}`);
  });
}

/** Returns the version of a database's schema, 0 for a new database. Throws as `copyDatabase` does. */
export function versionOf(path: string): number {
  return withDatabase(path, (database) => readNumber(database, "PRAGMA user_version"));
}

export type Contents = ReturnType<typeof inspectDatabase>;

/**
 * Reads a database without changing it. Throws when it is damaged or has a foreign schema, and as `copyDatabase`
 * does.
 */
export function inspectDatabase(path: string) {
  return withDatabase(path, (database) => {
    checkOwnSchema(database);
    const found = database.query<{ integrity_check: string }, []>("PRAGMA integrity_check(1)").get();
    if (found?.integrity_check !== "ok")
      throw new CommandError(`The database ${path} is damaged, or not a SQLite database.`, {
        cause: new Error(found?.integrity_check),
      });
    if (database.query("PRAGMA foreign_key_check").get())
      throw new CommandError("The database has rows that refer to missing rows.");
    // A database of an earlier version may lack these tables.
    const count = (table: string) =>
      hasTable(database, table) ? readNumber(database, `SELECT count(*) FROM ${table}`) : 0;
    const tokens = hasTable(database, "tokens")
      ? database
          .query<{ user: string; sealed: Uint8Array }, []>("SELECT user_id AS user, sealed FROM tokens")
          .all()
      : [];
    return {
      /** The version of the schema. */
      version: readNumber(database, "PRAGMA user_version"),
      users: count("users"),
      conversations: count("conversations"),
      /** Every token with the id of its user. */
      tokens,
    };
  });
}

function withDatabase<T>(path: string, run: (database: Database) => T): T {
  const database = new Database(path, { readwrite: true, create: false });
  try {
    database.run(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
    checkVersion(database);
    return run(database);
  } catch (error) {
    if (!hasCode(error, "SQLITE_NOTADB") && !hasCode(error, "SQLITE_CORRUPT")) throw error;
    throw new CommandError(`The database ${path} is damaged, or not a SQLite database.`, { cause: error });
  } finally {
    database.close();
  }
}

function hasTable(database: Database, name: string): boolean {
  return database.query("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?").get(name) !== null;
}
