import { Database } from "bun:sqlite";
import { CommandError } from "../../errors.ts";
import { readNumber } from "./database.ts";
import { MIGRATIONS, migrate } from "./migrations.ts";

interface SchemaRow {
  type: string;
  name: string;
  table: string;
  sql: string | null;
}

/** SQLite's own tables, for AUTOINCREMENT and ANALYZE. */
const OF_SQLITE = /^sqlite_(sequence|stat[1-4])$/;

/**
 * Throws a `CommandError` unless the tables and indexes of a database are exactly those that the migrations up
 * to its version create. Anything else would run or be read with our rights: above all triggers, and views in
 * the place of tables.
 */
export function checkOwnSchema(database: Database): void {
  const version = readNumber(database, "PRAGMA user_version");
  const own = new Database(":memory:");
  try {
    if (version > 0) migrate(own, MIGRATIONS.slice(0, version));
    const expected = schemaOf(own);
    const found = schemaOf(database);
    for (const [key, sql] of found) if (expected.get(key) !== sql) throw foreign(key);
    for (const key of expected.keys())
      if (!found.has(key)) throw new CommandError(`The database lacks its ${key}.`);
  } finally {
    own.close();
  }
}

/** Returns the SQL of each table, index, view and trigger by its kind and name. */
function schemaOf(database: Database): Map<string, string> {
  const rows = database
    .query<SchemaRow, []>("SELECT type, name, tbl_name AS 'table', sql FROM sqlite_schema")
    .all();
  const own = rows.filter(({ type, name, sql }) => {
    if (type === "table" && OF_SQLITE.test(name)) return false;
    // The indexes that a UNIQUE or a primary key makes. They have no SQL of their own.
    return type !== "index" || sql !== null || !name.startsWith("sqlite_autoindex_");
  });
  return new Map(
    own.map(({ type, name, table, sql }) => [`${type} ${JSON.stringify(name)}`, `${table} ${plain(sql)}`]),
  );
}

/** Quotes and white space depend on who wrote the SQL. */
const plain = (sql: string | null) => sql?.replaceAll(/[\s"`]/g, "") ?? "";

const foreign = (key: string) =>
  new CommandError(
    `The database has ${key.startsWith("i") ? "an" : "a"} ${key} that this program did not make. Drop it in the database, and make a new backup.`,
  );
