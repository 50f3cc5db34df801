import { Database, SQLiteError, type SQLQueryBindings } from "bun:sqlite";
import { type SQL, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/bun-sqlite";
import { DatabaseFull, messageOfError } from "../../errors.ts";
import type { WriteBehindOptions } from "../write-behind.ts";

const WRITE_WAIT_MS = 5_000;
const WRITE_RETRY_MS = 20;

/**
 * A database that can be closed for good. SQLite keeps a closed database open, and its WAL unmerged, while a
 * prepared statement lives. Drizzle has no way to finalize its statements, so they are collected here.
 */
class ClosableDatabase extends Database {
  readonly #statements: { finalize(): void }[] = [];

  override prepare: Database["prepare"] = <Row, Params extends SQLQueryBindings | SQLQueryBindings[]>(
    sql: string,
    params?: Params,
  ) => {
    const statement = super.prepare<Row, Params>(sql, params);
    this.#statements.push(statement);
    return statement;
  };

  end(): void {
    for (const statement of this.#statements.splice(0)) statement.finalize();
    this.close(true);
  }
}

export interface Connection {
  raw: Database;
  orm: ReturnType<typeof createOrm>;
  /**
   * Runs `change` in one transaction, which is on the disk when the promise resolves. While another process
   * writes, it waits for up to 5 s without blocking the event loop; `change` may then run more than once. If
   * `durable` is false, it does not wait for the disk: a loss of power may undo the change. Default: true.
   */
  write<T>(change: () => T, options?: { durable?: boolean }): Promise<T>;
  /** Finalizes every statement prepared by `orm` and `raw`, merges the WAL and releases the file. */
  end(): void;
}

/** The options of a store whose rows are written behind. */
export interface SqliteBehindOptions extends WriteBehindOptions {
  connection: Connection;
  /** Called after each transaction that was written behind. */
  onWritten?: (() => void) | undefined;
}

/** Opens the file, or creates it. */
export function connect(path: string): Connection {
  const raw = new ClosableDatabase(path, { readwrite: true, create: true });
  return {
    raw,
    orm: createOrm(raw),
    write: (change, { durable = true } = {}) => write(raw, change, durable),
    end: () => raw.end(),
  };
}

const createOrm = (client: Database) => drizzle({ client });

async function write<T>(database: Database, change: () => T, durable: boolean): Promise<T> {
  // While new connections keep coming, the runtime handles each request inside its accept loop without
  // leaving it, so timers and other sockets wait. A change that waits for the disk must give them a turn.
  if (durable) await new Promise(setImmediate);
  const transaction = database.transaction(change);
  const deadline = performance.now() + WRITE_WAIT_MS;
  for (;;) {
    try {
      return durable ? transaction.immediate() : withoutSync(database, () => transaction.immediate());
    } catch (error) {
      if (hasCode(error, "SQLITE_FULL")) throw new DatabaseFull(messageOfError(error), { cause: error });
      if (!hasCode(error, "SQLITE_BUSY") || performance.now() > deadline) throw error;
    }
    await Bun.sleep(WRITE_RETRY_MS);
  }
}

function withoutSync<T>(database: Database, run: () => T): T {
  database.run("PRAGMA synchronous = NORMAL");
  try {
    return run();
  } finally {
    database.run("PRAGMA synchronous = FULL");
  }
}

/** Whether the error has this SQLite code, or an extended one such as SQLITE_BUSY_RECOVERY. */
export function hasCode(error: unknown, prefix: string): boolean {
  return error instanceof SQLiteError && error.code?.startsWith(prefix) === true;
}

/** Returns the first value of the first row, or 0 if there is none. */
export function readNumber(database: Database, query: string): number {
  return Number(database.query(query).values()[0]?.[0] ?? 0);
}

/** Returns a placeholder for each column, under the column's name in the code. */
export function placeholders<Name extends string>(columns: Readonly<Record<Name, unknown>>) {
  // The caller encodes JSON. Without `sql` around the placeholder drizzle would, and write a null as the JSON
  // text `null`.
  const found = Object.keys(columns).map((name) => [name, sql`${sql.placeholder(name)}`]);
  return Object.fromEntries(found) as Record<Name, SQL>;
}

/** Encodes a list for a JSON column, as drizzle would write a null as the JSON text `null`. */
export function jsonOrNull(list: readonly string[] | null): string | null {
  return list && JSON.stringify(list);
}

/** Decodes a JSON column that `jsonOrNull` encoded. */
export function listOrNull(json: string | null): string[] | null {
  return json === null ? null : JSON.parse(json);
}
