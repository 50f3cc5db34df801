import { closeSync, existsSync, openSync, statSync } from "node:fs";
import { makePrivate } from "../../files.ts";
import { once } from "../../once.ts";
import type { Store } from "../store.ts";
import { type After, afterDelay } from "../write-behind.ts";
import { createAgentKeyStore } from "./agent-keys.ts";
import { createAuditStore } from "./audit.ts";
import { createCheckpointer } from "./checkpoint.ts";
import { createConversationStore } from "./conversations.ts";
import { type Connection, connect, hasCode } from "./database.ts";
import { lockForServer, lockShared } from "./lock.ts";
import { APPLICATION_ID, checkVersion, migrate } from "./migrations.ts";
import { openError } from "./open-error.ts";
import { createPairingStore } from "./pairings.ts";
import { createTrafficStore } from "./records/traffic.ts";
import { createRefusalStore } from "./reports/refusals.ts";
import { createResponseStore } from "./responses.ts";
import { createSessionStore } from "./sessions.ts";
import { createSettingStore } from "./settings.ts";
import { compact } from "./upkeep/compact.ts";
import { createUsageStore } from "./usage.ts";
import { createUserStore } from "./users.ts";

const OPEN_WAIT_MS = 5_000;
const OPEN_RETRY_MS = 20;
/** A waiting statement blocks the event loop, so this is short. `Connection.write` waits without blocking. */
const BUSY_TIMEOUT_MS = 10;
/** A bigger file is not checked at the start, as reading all of it would take too long. */
const CHECKED_BYTES_MAX = 16 * 1024 * 1024;
/**
 * The length of the WAL at which a checkpoint merges it into the database: 16 MB. The rows of many users
 * touch pages all over the file. With rare checkpoints, one write of a page covers many batches.
 */
const WAL_PAGES = 4_000;
/** Fallback limit, for when the thread that makes the checkpoints fails. */
const WAL_PAGES_MAX = 4 * WAL_PAGES;
/** Large for the same reason: pages that do not fit are read again for each batch. */
const CACHE_KB = 8_192;
const MEMORY = ":memory:";

export interface StoreOptions {
  /** The database file, created with its folder if missing; ":memory:" for a database that is not kept. */
  path: string;
  /** Milliseconds since 1970. */
  now?: () => number;
  /** Schedules the writes behind. */
  after?: After;
  /** Whether a server opens the data. Only one may have it open at a time. Default: false. */
  isServer?: boolean;
  /** Merges the WAL on a thread of its own. A process that runs for long should use this. Default: false. */
  checkpointsOnThread?: boolean;
  /** How much of the conversations of each user, and of their responses, is kept. Default: all. */
  conversationQuotaBytes?: number;
  /** Called when a write behind failed, with counts in the message. The store retries by itself. */
  onError?: (error: Error) => void;
}

/**
 * Opens the database, migrates it and prepares every query. Throws a `CommandError` when the database cannot
 * be used. Several processes may have it open at once, but only one of them may be a server.
 */
export function openStore(options: StoreOptions): Store {
  const { path, checkpointsOnThread, isServer } = options;
  let connection: Connection | undefined;
  let unlock = () => {};
  try {
    if (path !== MEMORY) {
      unlock = (isServer ? lockForServer : lockShared)(path, OPEN_WAIT_MS);
      prepareFiles(path);
    }
    connection = openWhenFree(path, checkpointsOnThread ? WAL_PAGES_MAX : WAL_PAGES);
    return createStore(connection, options, unlock);
  } catch (error) {
    connection?.end();
    unlock();
    throw openError(path, error);
  }
}

/** Calls `unlock` after the file was closed. */
function createStore(connection: Connection, options: StoreOptions, unlock: () => void): Store {
  const { now = Date.now, after = afterDelay, checkpointsOnThread, onError = () => {} } = options;
  const checkpoints = { connection, walPages: WAL_PAGES, onError };
  const checkpointer = checkpointsOnThread ? createCheckpointer(checkpoints) : undefined;
  const onWritten = checkpointer?.startIfLong;
  const writeBehind = { connection, after, onError, onWritten };
  const conversations = createConversationStore(writeBehind, now, options.conversationQuotaBytes);
  const responses = createResponseStore(writeBehind, options.conversationQuotaBytes);
  const usage = createUsageStore(writeBehind);
  const traffic = createTrafficStore(writeBehind);
  const refusals = createRefusalStore(writeBehind);
  const parts = [conversations, responses, usage, traffic, refusals];
  const close = once(() =>
    Promise.all([checkpointer?.end(), ...parts.map((part) => part.end())])
      .then(connection.end)
      .finally(unlock),
  );
  return {
    users: createUserStore(connection, now, (user) => {
      conversations.dropUser(user);
      responses.dropUser(user);
    }),
    agentKeys: createAgentKeyStore(connection, now),
    pairings: createPairingStore(connection, now),
    sessions: createSessionStore(connection, now),
    audit: createAuditStore(connection),
    settings: createSettingStore(connection, now),
    usage,
    traffic,
    refusals,
    conversations,
    responses,
    check: () => checkWrites(connection),
    compact: () => compact(connection),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Writes the value that is already there. SQLite still writes its page. */
async function checkWrites({ raw, write }: Connection): Promise<void> {
  await write(() => raw.run(`PRAGMA application_id = ${APPLICATION_ID}`), { durable: false });
}

/** Sets the mode before SQLite opens the database, as its -wal and -shm files get the same mode. */
function prepareFiles(path: string): void {
  closeSync(openSync(path, "a+", 0o600));
  for (const file of [path, `${path}-wal`, `${path}-shm`]) if (existsSync(file)) makePrivate(file);
}

/** Retries, as switching to WAL fails at once, despite the busy time-out, when two processes try it. */
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
  // Takes effect in a new file only, before its first page is written. Free pages can then be returned to the
  // disk.
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
