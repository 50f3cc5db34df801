import { Database } from "bun:sqlite";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { CommandError } from "../../errors.ts";
import { hasCode } from "./database.ts";

/*
 * Who uses the data of a folder: every process with the store open holds `server.db.lock` together with the
 * others, and one that exchanges the files holds it alone. The locks are SQLite's own on that empty file, so
 * the system gives them up when their process ends, however it ends, and there is none left to clean away.
 */

/** Takes part in using the database at `path`. Gives what lets go. */
export function holdTogether(path: string, waitMs: number): () => void {
  const refusal = `the data of ${path} are being exchanged: try again when that is done`;
  return hold(path, waitMs, refusal, (lock) => {
    lock.run("BEGIN");
    lock.query("SELECT count(*) FROM sqlite_schema").get();
  });
}

/** The same, if nobody else uses it; throws a `CommandError` otherwise. */
export function holdAlone(path: string): () => void {
  const refusal = `the data of ${path} are in use: stop the server, and whatever else has them open, first`;
  return hold(path, 0, refusal, (lock) => lock.run("BEGIN EXCLUSIVE"));
}

function hold(path: string, waitMs: number, refusal: string, take: (lock: Database) => void): () => void {
  const file = `${path}.lock`;
  create(file);
  const lock = new Database(file, { readwrite: true, create: false });
  try {
    lock.run(`PRAGMA busy_timeout = ${waitMs}`);
    take(lock);
  } catch (error) {
    lock.close();
    throw hasCode(error, "SQLITE_BUSY") ? new CommandError(refusal, { cause: error }) : error;
  }
  let held = true;
  return () => {
    if (held) lock.close();
    held = false;
  };
}

/**
 * Never opens one that is there: POSIX takes all of a process's locks on a file away when it closes the file
 * once, whichever handle had them. https://www.sqlite.org/howtocorrupt.html#_posix_advisory_locks_canceled_by_a_separate_thread_doing_close_
 */
function create(file: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  try {
    writeFileSync(file, "", { flag: "wx", mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}
