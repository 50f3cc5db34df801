import { Database } from "bun:sqlite";
import { getTableColumns, getTableName } from "drizzle-orm";
import type { PgColumn, PgTable } from "drizzle-orm/pg-core";
import { DAY_MS } from "../../durations.ts";
import { CommandError } from "../../errors.ts";
import { migrate } from "./migrations.ts";
import { openError } from "./open.ts";
import { createPool, type Run } from "./pool.ts";
import { insertInto, rowsOf } from "./rows.ts";
import {
  agentKeys,
  audit,
  conversations,
  refusals,
  responseItems,
  responseObjects,
  settings,
  tokens,
  traffic,
  turns,
  usage,
  usageNames,
  users,
} from "./schema.ts";

/**
 * The tables in an order in which each row comes after those that it refers to. Sessions and codes are left out: everybody
 * signs in at the new servers, whose cookies may have another name.
 */
const TABLES = [
  ...[users, tokens, agentKeys, conversations, turns],
  ...[responseObjects, responseItems, audit, usage, traffic, refusals, usageNames],
  settings,
] as const;

const BATCH_ROWS = 500;
const BATCH_LENGTH = 4 * 1024 ** 2;
/** All is moved in one transaction, or nothing. */
const MOVE_WITHIN_MS = DAY_MS;

type Row = Record<string, unknown>;

/**
 * Copies all rows of a migrated SQLite database, which nobody may change meanwhile, into an empty PostgreSQL
 * database. Resolves with the number of rows by table. Throws a `CommandError` when the database cannot be used
 * or is not empty, and leaves it without rows then.
 */
export async function moveTo(url: string, path: string): Promise<Record<string, number>> {
  const source = new Database(path, { readonly: true });
  const pool = createPool({ url, connections: 1, withinMs: MOVE_WITHIN_MS, name: "chatgpt-api-server move" });
  try {
    await migrate(pool);
    return await pool.transact(async (run) => {
      await refuseRows(run);
      const counts: Record<string, number> = {};
      for (const table of TABLES) counts[getTableName(table)] = await copyTable(source, run, table);
      return counts;
    });
  } catch (error) {
    throw openError(url, error);
  } finally {
    await pool.close();
    source.close();
  }
}

/** Also keeps others from adding rows until the end of the transaction. */
async function refuseRows(run: Run): Promise<void> {
  for (const table of TABLES) {
    const name = getTableName(table);
    await run(`LOCK TABLE ${name} IN EXCLUSIVE MODE`);
    if ((await run(`SELECT FROM ${name} LIMIT 1`)).length > 0)
      throw new CommandError(`The database already has rows in the table ${name}. Name an empty database.`);
  }
}

async function copyTable(source: Database, run: Run, table: PgTable): Promise<number> {
  const name = getTableName(table);
  const columns: Readonly<Record<string, PgColumn>> = getTableColumns(table);
  const known = source.query<{ name: string }, []>(`PRAGMA table_info(${name})`).all();
  const own = new Set(known.map((column) => column.name));
  const shared = Object.entries(columns).filter(([, column]) => own.has(column.name));
  const insert = insertInto(table, [...shared.map(([field]) => field), ...(table === usage ? ["id"] : [])]);
  const selected = shared.map(([field, column]) => `${column.name} AS "${field}"`);
  let count = 0;
  for (const rows of batchesOf(
    source.query<Row, []>(`SELECT ${selected} FROM ${name} ORDER BY rowid`).iterate(),
  )) {
    await run(insert, [
      rowsOf(
        table,
        rows.map((row) => converted(columns, row)),
      ),
    ]);
    count += rows.length;
  }
  if ("seq" in columns && own.has("seq"))
    await run(
      `SELECT setval(pg_get_serial_sequence('${name}', 'seq'), coalesce(max(seq), 0) + 1, false) FROM ${name}`,
    );
  return count;
}

/** Yields the rows in lists, none of which takes much memory. */
function* batchesOf(rows: Iterable<Row>): Generator<Row[]> {
  let batch: Row[] = [];
  let length = 0;
  for (const row of rows) {
    batch.push(row);
    for (const value of Object.values(row))
      if (typeof value === "string" || value instanceof Uint8Array) length += value.length;
    if (batch.length < BATCH_ROWS && length < BATCH_LENGTH) continue;
    yield batch;
    batch = [];
    length = 0;
  }
  if (batch.length > 0) yield batch;
}

function converted(columns: Readonly<Record<string, PgColumn>>, row: Row): Row {
  const { at } = row;
  const own = columns["id"]?.getSQLType() === "uuid" && { id: Bun.randomUUIDv7("hex", Number(at) || 0) };
  const values = Object.entries(row).flatMap(([field, value]) => {
    const column = columns[field];
    return column ? [[field, valueFor(column, value)]] : [];
  });
  return { ...own, ...Object.fromEntries(values) };
}

/** Returns the value as the column can hold it. Columns of SQLite may hold values of any type. */
function valueFor(column: PgColumn, value: unknown): unknown {
  if (value === null) return null;
  switch (column.getSQLType()) {
    case "bigint":
      return Number.isSafeInteger(value) ? value : column.notNull ? 0 : null;
    case "double precision":
      return typeof value === "number" && Number.isFinite(value) ? value : null;
    case "boolean":
      return value === 1;
    case "jsonb":
      return jsonOf(column, String(value));
    case "bytea":
      return value instanceof Uint8Array ? value : Buffer.from(String(value));
    default:
      return value instanceof Uint8Array ? Buffer.from(value).toString() : String(value);
  }
}

/** Throws a `CommandError` for a text that is not JSON: as null, a list of models would allow all of them. */
function jsonOf({ name, table }: PgColumn, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CommandError(
      `The table ${getTableName(table)} of the data folder has a value in ${name} that is not JSON. Repair it first.`,
      { cause },
    );
  }
}
