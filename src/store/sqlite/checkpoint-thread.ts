import { Database } from "bun:sqlite";
import { messageOfError } from "../../errors.ts";

/*
 * The entry point of a thread. It receives the path of a database, makes a checkpoint, and replies with null
 * or with the message of the error.
 */

declare const self: Worker;

const WAIT_MS = 1_000;

self.onmessage = ({ data }: MessageEvent<string>) => {
  self.postMessage(attempt(data));
};

function attempt(path: string): string | null {
  try {
    checkpoint(path);
    return null;
  } catch (error) {
    return messageOfError(error);
  }
}

/**
 * Merges the WAL into the database while others keep writing. Then merges the little they wrote meanwhile,
 * for which they must wait: otherwise the WAL would never restart under constant load.
 */
function checkpoint(path: string): void {
  const database = new Database(path, { readwrite: true, create: false });
  try {
    database.run(`PRAGMA busy_timeout = ${WAIT_MS}`);
    database.run("PRAGMA wal_checkpoint(PASSIVE)");
    database.run("PRAGMA wal_checkpoint(RESTART)");
  } finally {
    database.close(true);
  }
}
