import { getTableColumns, getTableName } from "drizzle-orm";
import type { PgColumn, PgTable } from "drizzle-orm/pg-core";

/*
 * Rows travel as one parameter of JSON in both kinds of change, however many they are: a list of parameters for
 * each row has a limit, and would be another statement for each number of rows.
 */

type Columns = Readonly<Record<string, PgColumn>>;

/** Returns the columns for a SELECT, each under its name in the code. */
export function selected(columns: Columns, table?: PgTable): string {
  const prefix = table ? `${getTableName(table)}.` : "";
  return Object.entries(columns)
    .map(([field, column]) => {
      const name = `${prefix}${column.name}`;
      // The client returns a bigint as a text. All of ours are exact as a double.
      return `${column.getSQLType() === "bigint" ? `${name}::float8` : name} AS "${field}"`;
    })
    .join(", ");
}

/** Returns the statement that inserts the rows in its parameter, in their order. */
export function insertInto(table: PgTable, fields: readonly string[]): string {
  const columns = columnsOf(table);
  const names = fields.map((field) => columns[field]?.name);
  const types = fields.map((field) => `${columns[field]?.name} ${columns[field]?.getSQLType()}`);
  return `INSERT INTO ${getTableName(table)} (${names}) SELECT ${names}
    FROM json_to_recordset($1::text::json) AS added(nth int, ${types}) ORDER BY nth`;
}

/** Returns the statement that sets the fields to those of its parameter, where `id` is the same. */
export function updateOf(table: PgTable, fields: readonly string[], where = "true"): string {
  const [columns, name] = [columnsOf(table), getTableName(table)];
  const changes = fields.map((field) => `${columns[field]?.name} = changed.${columns[field]?.name}`);
  const set = changes.length > 0 ? changes : "id = changed.id";
  return `UPDATE ${name} SET ${set} FROM json_populate_record(NULL::${name}, $1::text::json) AS changed
    WHERE ${name}.id = changed.id AND ${where} RETURNING ${name}.id`;
}

/** Returns the parameter of a statement that takes rows. Fields that a table lacks are left out. */
export function rowsOf(table: PgTable, rows: readonly object[]): string {
  const columns = columnsOf(table);
  return JSON.stringify(rows.map((row, nth) => named(columns, row, { nth })));
}

/** Returns the parameter of a statement that takes one row. */
export function rowOf(table: PgTable, row: object): string {
  return JSON.stringify(named(columnsOf(table), row));
}

function columnsOf(table: PgTable): Columns {
  return getTableColumns(table);
}

/** Adds the values of a row under the names of their columns. It runs for each ask, so it makes no other object. */
function named(columns: Columns, row: object, found: Record<string, unknown> = {}): object {
  for (const field in row) {
    const column = columns[field];
    if (column) found[column.name] = encoded(row[field as keyof typeof row]);
  }
  return found;
}

function encoded(value: unknown): unknown {
  if (typeof value === "string") return plain(value);
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Uint8Array) return `\\x${Buffer.from(value).toString("hex")}`;
  if (Array.isArray(value)) return value.map(encoded);
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [plain(name), encoded(one)]));
}

/** Returns the text as the types `text` and `jsonb` can hold it: they refuse U+0000 and lone surrogates. */
export function plain(text: string): string {
  // Nearly all texts are, and looking is faster than a copy.
  if (text.isWellFormed() && !text.includes("\0")) return text;
  return text.toWellFormed().replaceAll("\0", "\uFFFD");
}
