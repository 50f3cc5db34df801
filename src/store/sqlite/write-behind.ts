import type { Connection } from "./database.ts";

const FLUSH_MS = 50;
const FLUSH_AFTER_FAILURE_MS = 1_000;
/** What one transaction takes, so that none holds up the event loop for more than some milliseconds. */
const BATCH_ROWS = 1_000;

/** Runs something once after a delay, which must not keep the process alive; the answer stops it. */
export type After = (delayMs: number, run: () => void) => () => void;

/** What waits to be written. When writing fails for long, the oldest are given up. */
export interface Pending<Item> {
  readonly size: number;
  first(count: number): Item[];
  /** Takes out what was written, unless it changed since. */
  settle(written: readonly Item[]): void;
  /** How many were given up since this was asked last. */
  takeLost(): number;
}

export interface WriteBehindOptions {
  connection: Connection;
  after: After;
  /** Told, with figures in the message, when a flush failed; it is tried again after a second. */
  onError: (error: Error) => void;
  /** Told after each transaction. */
  onWritten?: () => void;
}

interface WhatIsWritten<Item> {
  /** As the messages call them: "conversations". */
  noun: string;
  pending: Pending<Item>;
  /** Writes one; runs in a transaction, again if that has to wait. */
  write: (item: Item) => void;
}

export interface WriteBehind {
  /** To be called when something waits: it is written within about 50 ms. */
  schedule(): void;
  /** Writes all that waits now; throws when that fails, and nothing is tried again by itself. */
  flush(): Promise<void>;
  /** Writes what waits for the last time; what cannot be written is reported and lost. */
  end(): Promise<void>;
}

/** Writes in batches of one transaction each, which `kill -9` leaves whole and a loss of power may take back. */
export function createWriteBehind<Item>(
  { connection, after, onError, onWritten }: WriteBehindOptions,
  { noun, pending, write }: WhatIsWritten<Item>,
): WriteBehind {
  let ended = false;
  let stopTimer: (() => void) | undefined;
  let flushing: Promise<void> | undefined;

  function schedule(delayMs: number): void {
    if (ended) return;
    stopTimer ??= after(delayMs, () => {
      stopTimer = undefined;
      flush().catch(report);
    });
  }

  function report(cause: unknown): void {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const lost = pending.takeLost();
    const given = lost > 0 ? `, ${lost} were too many to wait and are lost` : "";
    onError(new Error(`${pending.size} ${noun} could not be written${given}: ${reason}`, { cause }));
    schedule(FLUSH_AFTER_FAILURE_MS);
  }

  async function flush(): Promise<void> {
    while (pending.size > 0) {
      flushing ??= writePending().finally(() => {
        flushing = undefined;
      });
      await flushing;
    }
  }

  async function writePending(): Promise<void> {
    while (pending.size > 0) {
      pending.settle(await connection.write(writeBatch, { durable: false }));
      onWritten?.();
      if (pending.size > 0) await new Promise(setImmediate);
    }
  }

  function writeBatch(): Item[] {
    const batch = pending.first(BATCH_ROWS);
    for (const item of batch) write(item);
    return batch;
  }

  return {
    schedule: () => schedule(FLUSH_MS),
    flush,
    async end() {
      ended = true;
      stopTimer?.();
      await flush().catch(report);
    },
  };
}

/** Fewer, as a deleted row takes longer: some milliseconds' work, as above. */
const PURGED_ROWS = 250;

/**
 * Deletes with `deleteSome(limit)`, which says how many it deleted, until none are left; gives their number. It
 * rests as long as it works, so that the asks in the meantime have half of the time at least.
 */
export async function purgeInBatches(
  connection: Connection,
  deleteSome: (limit: number) => number,
): Promise<number> {
  let purged = 0;
  for (;;) {
    const startedAt = performance.now();
    const deleted = await connection.write(() => deleteSome(PURGED_ROWS), { durable: false });
    purged += deleted;
    if (deleted < PURGED_ROWS) return purged;
    await Bun.sleep(performance.now() - startedAt);
  }
}
