import { chmodSync, closeSync, existsSync, mkdirSync, openSync, statSync } from "node:fs";
import { dirname } from "node:path";
import type { Store } from "../store.ts";
import { type After, createConversationStore } from "./conversations.ts";
import { type Connection, connect, hasCode } from "./database.ts";
import { openFault } from "./fault.ts";
import { checkVersion, migrate } from "./migrations.ts";
import { createUserStore } from "./users.ts";

const OPEN_WAIT_MS = 5_000;
const OPEN_RETRY_MS = 20;
/** A statement that waits holds up the event loop; `Connection.write` waits without doing so. */
const BUSY_TIMEOUT_MS = 10;
/** Reading all of a bigger file would delay the start. */
const CHECKED_BYTES_MAX = 16 * 1024 * 1024;
const MEMORY = ":memory:";

export interface StoreOptions {
  /** The database file, made with its folder where there is none; ":memory:" for one that is not kept. */
  path: string;
  /** Milliseconds since 1970. */
  now?: () => number;
  /** Times the writing behind. */
  after?: After;
  /** Told, with figures in the message, when conversations could not be written; the store tries again by itself. */
  onError?: (error: Error) => void;
}

/**
 * Opens the database, brings it up to date, and prepares every query. Any reason why it cannot be used is a
 * `CommandError`. Several processes may have it open at once.
 */
export function openStore({
  path,
  now = Date.now,
  after = afterDelay,
  onError = () => {},
}: StoreOptions): Store {
  let connection: Connection | undefined;
  try {
    if (path !== MEMORY) prepareFiles(path);
    connection = openWhenFree(path);
    return createStore(connection, { now, after, onError });
  } catch (error) {
    connection?.end();
    throw openFault(path, error);
  }
}

function createStore(connection: Connection, options: Required<Omit<StoreOptions, "path">>): Store {
  const conversations = createConversationStore({ connection, ...options });
  const users = createUserStore({ connection, now: options.now, onDelete: conversations.dropUser });
  let closed: Promise<void> | undefined;
  return {
    users,
    conversations,
    close() {
      closed ??= conversations.end().then(connection.end);
      return closed;
    },
  };
}

/** SQLite gives its -wal and -shm the mode of the database, so that has to be right before it opens it. */
function prepareFiles(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  closeSync(openSync(path, "a+", 0o600));
  for (const file of [path, `${path}-wal`, `${path}-shm`]) {
    if (!existsSync(file) || (statSync(file).mode & 0o077) === 0) continue;
    try {
      chmodSync(file, 0o600);
    } catch (error) {
      // Another owner's file in a shared folder, or a file system without modes: theirs to decide.
      if ((error as NodeJS.ErrnoException).code !== "EPERM") throw error;
    }
  }
}

/** The change to WAL fails at once, whatever the busy time-out, when two processes try it together. */
function openWhenFree(path: string): Connection {
  const deadline = performance.now() + OPEN_WAIT_MS;
  for (;;) {
    const connection = connect(path);
    try {
      configure(connection);
      return connection;
    } catch (error) {
      connection.end();
      if (!hasCode(error, "SQLITE_BUSY") || performance.now() > deadline) throw error;
    }
    Bun.sleepSync(OPEN_RETRY_MS);
  }
}

function configure({ raw }: Connection): void {
  raw.run(`PRAGMA busy_timeout = ${OPEN_WAIT_MS}`);
  checkVersion(raw);
  if (raw.filename !== MEMORY && statSync(raw.filename).size <= CHECKED_BYTES_MAX) checkPages(raw);
  raw.run("PRAGMA journal_mode = WAL");
  raw.run("PRAGMA foreign_keys = ON");
  raw.run("PRAGMA synchronous = FULL");
  migrate(raw);
  raw.run(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
}

function checkPages(raw: Connection["raw"]): void {
  const found = raw.query<{ quick_check: string }, []>("PRAGMA quick_check(1)").get()?.quick_check;
  if (found !== "ok") throw Object.assign(new Error(found), { code: "SQLITE_CORRUPT" });
}

const afterDelay: After = (delayMs, run) => {
  const timer = setTimeout(run, delayMs);
  timer.unref();
  return () => clearTimeout(timer);
};
