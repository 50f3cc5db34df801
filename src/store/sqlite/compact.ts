import { statSync } from "node:fs";
import type { Connection } from "./database.ts";

/** What a step frees: a few milliseconds' work. */
const STEP_PAGES = 64;

/** So much room is left for what comes next: a file that shrinks and grows all the time wears the disk for nothing. */
const SPARE_PAGES = 1_024;
const SPARE_SHARE = 0.1;

/** Of the time that passes, at most this share is spent on it. */
const WORK_SHARE = 0.25;

/** A WAL file stays as long as it once was, unless it is told. */
const WAL_BYTES_MAX = 4 * 1024 ** 2;

/** Gives the room of what was deleted back to the disk, in small steps, and says how many bytes that were. */
export async function compact({ raw, write }: Connection): Promise<number> {
  const read = (name: string) =>
    Object.values(raw.query<Record<string, number>, []>(`PRAGMA ${name}`).get() ?? {})[0] ?? 0;
  const freeAtFirst = read("freelist_count");
  const spare = Math.max(SPARE_PAGES, Math.round(read("page_count") * SPARE_SHARE));
  let free = freeAtFirst;
  // Twice the spare before anything is done, so that it is seldom done.
  while (free > spare && (free < freeAtFirst || free > 2 * spare)) {
    const before = free;
    const startedAt = performance.now();
    const pages = Math.min(STEP_PAGES, free - spare);
    await write(() => raw.query(`PRAGMA incremental_vacuum(${pages})`).all(), { durable: false });
    free = read("freelist_count");
    if (free >= before) break;
    await Bun.sleep((performance.now() - startedAt) / WORK_SHARE);
  }
  shortenWal(raw);
  return (freeAtFirst - free) * read("page_size");
}

/** Fails without harm while another process reads: then the next time will do. */
function shortenWal(raw: Connection["raw"]): void {
  const size = statSync(`${raw.filename}-wal`, { throwIfNoEntry: false })?.size ?? 0;
  if (size > WAL_BYTES_MAX) raw.query("PRAGMA wal_checkpoint(TRUNCATE)").all();
}
