import type { Connection } from "./database.ts";
import type { Pending } from "./pending.ts";

const FLUSH_MS = 50;
const FLUSH_AFTER_FAILURE_MS = 1_000;
/** The most rows in one transaction, so that it blocks the event loop for a few milliseconds only. */
const BATCH_ROWS = 1_000;

/** Calls `run` after a delay, without keeping the process alive. Returns a function that cancels it. */
export type After = (delayMs: number, run: () => void) => () => void;

export interface WriteBehindOptions {
  connection: Connection;
  after: After;
  /** Called when a flush failed, with counts in the message. The flush is retried after a second. */
  onError: (error: Error) => void;
  /** Called after each transaction. */
  onWritten?: () => void;
}

interface Written<Item> {
  /** The items in messages, such as "conversations". */
  noun: string;
  pending: Pick<Pending<unknown, Item>, "size" | "first" | "settle" | "takeLost">;
  /** Writes one item inside a transaction. May run again, if the transaction has to wait. */
  write: (item: Item) => void;
}

export interface WriteBehind {
  /** Must be called when an item is added: it is then written within about 50 ms. */
  schedule(): void;
  /** Writes all pending items now. Throws when that fails, without a retry. */
  flush(): Promise<void>;
  /** Writes the pending items for the last time. Those that cannot be written are reported and lost. */
  end(): Promise<void>;
}

/** Writes in batches, each one transaction. All survive `kill -9`; a loss of power may undo the latest. */
export function createWriteBehind<Item>(
  { connection, after, onError, onWritten }: WriteBehindOptions,
  { noun, pending, write }: Written<Item>,
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
    const dropped = lost > 0 ? `, ${lost} were dropped because too many were waiting` : "";
    onError(new Error(`${pending.size} ${noun} could not be written${dropped}: ${reason}`, { cause }));
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

/** The most rows deleted in one transaction: fewer than are written, as deleting a row takes longer. */
const PURGED_ROWS = 250;

/**
 * Calls `deleteSome(limit)`, which returns how many rows it deleted, until none are left. Resolves with their
 * number. Pauses for as long as each batch took, so that asks have at least half of the time.
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
