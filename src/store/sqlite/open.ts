import { chmodSync, closeSync, existsSync, openSync, statSync } from "node:fs";
import type { Store } from "../store.ts";
import { createAgentKeyStore } from "./agent-keys.ts";
import { createAuditStore } from "./audit.ts";
import { compact } from "./compact.ts";
import { createConversationStore } from "./conversations.ts";
import { type Connection, connect, hasCode } from "./database.ts";
import { openFault } from "./fault.ts";
import { holdTogether } from "./lock.ts";
import { createMerging } from "./merging.ts";
import { APPLICATION_ID, checkVersion, migrate } from "./migrations.ts";
import { createUsageStore } from "./usage.ts";
import { createUserStore } from "./users.ts";
import type { After } from "./write-behind.ts";

/** The file in the data folder. */
export const DATABASE_NAME = "server.db";
const OPEN_WAIT_MS = 5_000;
const OPEN_RETRY_MS = 20;
/** A statement that waits holds up the event loop; `Connection.write` waits without doing so. */
const BUSY_TIMEOUT_MS = 10;
/** Reading all of a bigger file would delay the start. */
const CHECKED_BYTES_MAX = 16 * 1024 * 1024;
/**
 * What the WAL holds before it is merged: 16 MB. The rows of many users touch pages all over the file; merged seldom, a
 * page is written once for many batches.
 */
const WAL_PAGES = 4_000;
/** Where a thread merges it, should that fail. */
const WAL_PAGES_MAX = 4 * WAL_PAGES;
/** For the same reason: what does not fit is read again for each batch. */
const CACHE_KB = 8_192;
const MEMORY = ":memory:";

export interface StoreOptions {
  /** The database file, made with its folder where there is none; ":memory:" for one that is not kept. */
  path: string;
  /** Milliseconds since 1970. */
  now?: () => number;
  /** Times the writing behind. */
  after?: After;
  /** Leaves it to a thread to merge what was written into the file, as who runs for long should. Default: false. */
  mergesApart?: boolean;
  /** Told, with figures in the message, when something could not be written behind; the store tries again by itself. */
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
  mergesApart = false,
  onError = () => {},
}: StoreOptions): Store {
  let connection: Connection | undefined;
  let letGo = () => {};
  try {
    if (path !== MEMORY) {
      letGo = holdTogether(path, OPEN_WAIT_MS);
      prepareFiles(path);
    }
    connection = openWhenFree(path, mergesApart ? WAL_PAGES_MAX : WAL_PAGES);
    return createStore(connection, { now, after, mergesApart, onError, letGo });
  } catch (error) {
    connection?.end();
    letGo();
    throw openFault(path, error);
  }
}

interface Parts extends Required<Omit<StoreOptions, "path">> {
  /** Called when the file is closed. */
  letGo: () => void;
}

function createStore(connection: Connection, { letGo, mergesApart, ...options }: Parts): Store {
  const { now, onError } = options;
  const merging = mergesApart ? createMerging({ connection, walPages: WAL_PAGES, onError }) : undefined;
  const behind = { connection, ...options, ...(merging && { onWritten: merging.look }) };
  const conversations = createConversationStore(behind);
  const usage = createUsageStore(behind);
  let closed: Promise<void> | undefined;
  return {
    users: createUserStore({ connection, now, onDelete: conversations.dropUser }),
    agentKeys: createAgentKeyStore({ connection, now }),
    audit: createAuditStore(connection),
    usage,
    conversations,
    check: () => checkWrites(connection),
    compact: () => compact(connection),
    close() {
      closed ??= Promise.all([merging?.end(), conversations.end(), usage.end()])
        .then(connection.end)
        .finally(letGo);
      return closed;
    },
  };
}

/** The number that is there already, but SQLite writes the page that it is on. */
async function checkWrites({ raw, write }: Connection): Promise<void> {
  await write(() => raw.run(`PRAGMA application_id = ${APPLICATION_ID}`), { durable: false });
}

/** SQLite gives its -wal and -shm the mode of the database, so that has to be right before it opens it. */
function prepareFiles(path: string): void {
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
function openWhenFree(path: string, walPages: number): Connection {
  const deadline = performance.now() + OPEN_WAIT_MS;
  for (;;) {
    const connection = connect(path);
    try {
      configure(connection, walPages);
      return connection;
    } catch (error) {
      connection.end();
      if (!hasCode(error, "SQLITE_BUSY") || performance.now() > deadline) throw error;
    }
    Bun.sleepSync(OPEN_RETRY_MS);
  }
}

function configure({ raw }: Connection, walPages: number): void {
  raw.run(`PRAGMA busy_timeout = ${OPEN_WAIT_MS}`);
  checkVersion(raw);
  if (raw.filename !== MEMORY && statSync(raw.filename).size <= CHECKED_BYTES_MAX) checkPages(raw);
  // Counts for a new file only, before the first page is written: its free pages can then be given back.
  raw.run("PRAGMA auto_vacuum = INCREMENTAL");
  raw.run("PRAGMA journal_mode = WAL");
  raw.run(`PRAGMA cache_size = -${CACHE_KB}`);
  raw.run(`PRAGMA wal_autocheckpoint = ${walPages}`);
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
