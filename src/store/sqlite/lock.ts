import { Database } from "bun:sqlite";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { CommandError } from "../../errors.ts";
import { once } from "../../once.ts";
import { hasCode } from "./database.ts";

/*
 * Guards the data of a folder. Every process with the store open shares a lock on `server.db.lock`; a process
 * that replaces the files holds it exclusively. A server also reserves it, which only one process can. The
 * locks are SQLite's own, on that empty file, so the system releases them when their process ends, however it
 * ends. None is left to clean up. https://www.sqlite.org/lockingv3.html#locking
 */

/** A restore that is refused also reserves the lock, for a moment. A second server should fail soon. */
const RESERVE_WAIT_MS = 500;

/** Takes a shared lock. Returns its release. Throws a `CommandError` while the lock is held exclusively. */
export function lockShared(path: string, waitMs: number): () => void {
  const refusal = `A restore is replacing the data of ${path}. Try again when it is done.`;
  return hold(path, waitMs, refusal, (lock) => {
    lock.run("BEGIN");
    lock.query("SELECT count(*) FROM sqlite_schema").get();
  });
}

/**
 * Takes a shared lock that only one process holds at a time: that of a server. Returns its release. Throws a
 * `CommandError` while another server, or for longer than `waitMs` a restore, uses the data.
 */
export function lockForServer(path: string, waitMs: number): () => void {
  const refusal = `The data folder ${dirname(path)} is in use by another server. Stop that server, or choose another folder with --data.`;
  const unlock = lockShared(path, waitMs);
  try {
    const unreserve = hold(path, RESERVE_WAIT_MS, refusal, (lock) => lock.run("BEGIN IMMEDIATE"));
    return () => {
      unreserve();
      unlock();
    };
  } catch (error) {
    unlock();
    throw error;
  }
}

/** Takes the lock exclusively. Returns its release. Throws a `CommandError` when the data is in use. */
export function lockExclusive(path: string): () => void {
  const refusal = `The data of ${path} is in use. Stop the server, and every other command that uses the data, first.`;
  return hold(path, 0, refusal, (lock) => lock.run("BEGIN EXCLUSIVE"));
}

function hold(path: string, waitMs: number, refusal: string, take: (lock: Database) => void): () => void {
  const file = `${path}.lock`;
  createLockFile(file);
  const lock = new Database(file, { readwrite: true, create: false });
  try {
    lock.run(`PRAGMA busy_timeout = ${waitMs}`);
    take(lock);
  } catch (error) {
    lock.close();
    throw hasCode(error, "SQLITE_BUSY") ? new CommandError(refusal, { cause: error }) : error;
  }
  return once(() => lock.close());
}

/**
 * Creates the lock file, without opening an existing one: POSIX cancels all locks of a process on a file as
 * soon as the process closes any handle to it.
 * https://www.sqlite.org/howtocorrupt.html#_posix_advisory_locks_canceled_by_a_separate_thread_doing_close_
 */
function createLockFile(file: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  try {
    writeFileSync(file, "", { flag: "wx", mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}
