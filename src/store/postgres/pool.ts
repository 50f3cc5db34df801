import { SQL, type TransactionSQL } from "bun";
import { DatabaseAway, messageOfError } from "../../errors.ts";

/** Runs one statement, which stays prepared, and resolves with its rows. */
export type Run = <Row>(statement: string, values?: readonly unknown[]) => Promise<Row[]>;

export interface PoolOptions {
  url: string;
  connections: number;
  /** Ends each statement in the database, and each call here if the database does not answer. */
  withinMs: number;
  /** How long an attempt to connect may take, in whole seconds. Default: 10 s, or `withinMs` if that is shorter. */
  connectWithinMs?: number;
  /** The name that the database shows for the connections. */
  name: string;
  /** Called when the connections were given up, as the database did not answer. */
  onHung?: () => void;
}

/**
 * Connections to one database. Each call rejects within the pool's time, whatever the database does: with
 * `DatabaseAway` when there was no connection, or no answer in time.
 */
export interface Pool {
  /** Runs one statement that changes nothing. It is retried once if its connection was lost. */
  read: Run;
  /** Runs one statement. It may have had its effect even if it rejects. */
  run: Run;
  /** Runs `work` in one transaction. It must use the given function only. */
  transact<T>(work: (run: Run) => Promise<T>): Promise<T>;
  /** Gives up all connections, and what waits on them, for new ones. */
  renew(): void;
  close(): Promise<void>;
}

/** After as many calls in a row without an answer, the connections are given up: Bun notices no hung server. */
const MISSED_MAX = 2;
const CLOSE_WITHIN_S = 1;
/** A wrong address is often one that never answers: the start and a move tell so before the time of their statements. */
const CONNECT_MS_MAX = 10_000;

/** The error of a call to which the database has not answered in time. */
export class DatabaseTimeout extends DatabaseAway {}

export function createPool(options: PoolOptions): Pool {
  const { withinMs } = options;
  let client = connect(options);
  let missed = 0;
  let isClosed = false;

  async function inTime<T>(work: (sql: SQL) => Promise<T>): Promise<T> {
    const used = client;
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => reject(new DatabaseTimeout(`the database did not answer within ${withinMs} ms`)),
      withinMs,
    );
    try {
      const result = await Promise.race([work(used), late]);
      missed = 0;
      return result;
    } catch (error) {
      if (!(error instanceof DatabaseTimeout)) missed = 0;
      else if (used === client && ++missed >= MISSED_MAX) giveUp();
      throw isAway(error) ? new DatabaseAway(messageOfError(error), { cause: error }) : error;
    } finally {
      clearTimeout(timer);
    }
  }

  function giveUp(): void {
    renew();
    options.onHung?.();
  }

  function renew(): void {
    const given = client;
    missed = 0;
    if (!isClosed) client = connect(options);
    void given.close({ timeout: 0 }).catch(() => {});
  }

  const run: Run = (statement, values) => inTime((sql) => runOn(sql)(statement, values));
  return {
    run,
    // Both tries have the time of one call.
    read: (statement, values) =>
      inTime((sql) =>
        runOn(sql)<never>(statement, values).catch((error) => {
          if (!isLostConnection(error)) throw error;
          return runOn(client)(statement, values);
        }),
      ),
    transact: (work) => inTime((sql) => sql.begin((transaction) => work(runOn(transaction)))),
    renew,
    async close() {
      isClosed = true;
      await client.close({ timeout: CLOSE_WITHIN_S }).catch(() => {});
    },
  };
}

function connect({ url, connections, withinMs, name, ...options }: PoolOptions): SQL {
  const { connectWithinMs = Math.min(withinMs, CONNECT_MS_MAX) } = options;
  return new SQL(url, {
    adapter: "postgres",
    max: connections,
    connectionTimeout: Math.ceil(connectWithinMs / 1_000),
    connection: { statement_timeout: withinMs, application_name: name },
  });
}

const runOn =
  (sql: SQL | TransactionSQL): Run =>
  async (statement, values = []) =>
    // A copy, as the runtime's list has properties of its own.
    Array.from(await sql.unsafe(statement, [...values]));

/** Returns the SQLSTATE of an error that the database answered with; undefined for any other error. */
export function sqlStateOf(error: unknown): string | undefined {
  const { code, errno } = (error ?? {}) as { code?: unknown; errno?: unknown };
  return code === "ERR_POSTGRES_SERVER_ERROR" ? String(errno) : undefined;
}

/** The states of lost connections, of shutdowns, of too many connections, and of statements that took too long. */
const AWAY = /^(08|57P0|53300|57014)/;

/** Whether the database could not be reached, or has ended the statement as it took too long. */
function isAway(error: unknown): boolean {
  const { code } = (error ?? {}) as { code?: unknown };
  return /^ERR_POSTGRES_(CONNECTION|IDLE|LIFETIME)_/.test(String(code)) || AWAY.test(sqlStateOf(error) ?? "");
}

/** Whether the connection was lost: closed, or ended by an administrator, a crash or a shutdown. */
function isLostConnection(error: unknown): boolean {
  const { code } = (error ?? {}) as { code?: unknown };
  return code === "ERR_POSTGRES_CONNECTION_CLOSED" || /^57P0[12]$/.test(sqlStateOf(error) ?? "");
}

export const FOREIGN_KEY_VIOLATION = "23503";

/** Whether a row was refused as another one has the values of this unique index. */
export function isTaken(error: unknown, uniqueIndex: string): boolean {
  return sqlStateOf(error) === "23505" && (error as { constraint?: string }).constraint === uniqueIndex;
}
