import { Database } from "bun:sqlite";

/*
 * The entry of a thread of its own: merges the WAL of the database whose path it is sent, and answers with null, or what
 * went wrong.
 */

declare const self: Worker;

const WAIT_MS = 1_000;

self.onmessage = ({ data }: MessageEvent<string>) => {
  self.postMessage(attempt(data));
};

function attempt(path: string): string | null {
  try {
    merge(path);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/**
 * First what is there, while others write on; then the little that they wrote meanwhile, for which they have to wait, or
 * the WAL would never begin anew under a load that does not pause.
 */
function merge(path: string): void {
  const database = new Database(path, { readwrite: true, create: false });
  try {
    database.run(`PRAGMA busy_timeout = ${WAIT_MS}`);
    database.run("PRAGMA wal_checkpoint(PASSIVE)");
    database.run("PRAGMA wal_checkpoint(RESTART)");
  } finally {
    database.close(true);
  }
}
