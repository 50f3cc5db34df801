import { statSync } from "node:fs";
import { type Connection, readNumber } from "../database.ts";

/** The pages that one step frees, in a few milliseconds. */
const STEP_PAGES = 64;

/** Free pages left for new rows: a file that constantly shrinks and grows wears the disk for nothing. */
const SPARE_PAGES = 1_024;
const SPARE_SHARE = 0.1;

/** The share of the time that compacting may take. */
const WORK_SHARE = 0.25;

/** A longer WAL file is truncated: SQLite never shortens it by itself. */
const WAL_BYTES_MAX = 4 * 1024 ** 2;

/** Returns the space of deleted rows to the disk in small steps. Resolves with the number of bytes. */
export async function compact({ raw, write }: Connection): Promise<number> {
  const read = (name: string) => readNumber(raw, `PRAGMA ${name}`);
  const freeAtFirst = read("freelist_count");
  const spare = Math.max(SPARE_PAGES, Math.round(read("page_count") * SPARE_SHARE));
  let free = freeAtFirst;
  // Starts only at twice the spare, so that it seldom runs.
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

/** Fails without harm while another process reads; the next run will do it. */
function shortenWal(raw: Connection["raw"]): void {
  const size = statSync(`${raw.filename}-wal`, { throwIfNoEntry: false })?.size ?? 0;
  if (size > WAL_BYTES_MAX) raw.query("PRAGMA wal_checkpoint(TRUNCATE)").all();
}
