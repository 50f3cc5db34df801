import { messageOfError } from "../../errors.ts";
import type { Connection } from "./database.ts";

const FLUSH_MS = 50;
const FLUSH_AFTER_FAILURE_MS = 1_000;
/** The most rows in one transaction, so that it blocks the event loop for a few milliseconds only. */
const BATCH_ROWS = 1_000;
const PENDING_MAX = 10_000;

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

interface Written<Key, Item> {
  /** The items in messages, such as "conversations". */
  noun: string;
  keyOf: (item: Item) => Key;
  /** Writes one item inside a transaction. May run again, if the transaction has to wait. */
  write: (item: Item) => void;
}

/** Writes in batches, each one transaction. All survive `kill -9`; a loss of power may undo the latest. */
export function createWriteBehind<Key, Item>(
  { connection, after, onError, onWritten }: WriteBehindOptions,
  { noun, keyOf, write }: Written<Key, Item>,
) {
  const pending = createPending(keyOf);
  let ended = false;
  let stopTimer: (() => void) | undefined;
  let flushing: Promise<void> | undefined;
  let isFailing = false;

  function schedule(delayMs: number): void {
    if (ended) return;
    stopTimer ??= after(delayMs, () => {
      stopTimer = undefined;
      flush().catch(report);
    });
  }

  function report(cause: unknown): void {
    const reason = messageOfError(cause);
    const lost = pending.takeLost();
    const dropped = lost > 0 ? `, ${lost} were dropped because too many were waiting` : "";
    onError(new Error(`${pending.size} ${noun} could not be written${dropped}: ${reason}`, { cause }));
    schedule(FLUSH_AFTER_FAILURE_MS);
  }

  /** Writes all pending items now. Throws when that fails, without a retry. */
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
      pending.settle(await connection.write(writeBatch, { durable: false }).catch(fail));
      isFailing = false;
      onWritten?.();
      if (pending.size > 0) await new Promise(setImmediate);
    }
  }

  function fail(error: unknown): never {
    isFailing = true;
    throw error;
  }

  function writeBatch(): Item[] {
    const batch = pending.first(BATCH_ROWS);
    for (const item of batch) write(item);
    return batch;
  }

  return {
    /** Adds an item, or replaces the pending one with its key. It is written within about 50 ms. */
    put(item: Item): void {
      pending.put(item);
      schedule(FLUSH_MS);
    },
    find: pending.find,
    remove: pending.remove,
    flush,
    /** Writes all pending items now if possible. */
    async tryFlush(): Promise<void> {
      // The timer tries again, and reports a failure.
      await flush().catch(() => schedule(FLUSH_AFTER_FAILURE_MS));
    },
    /** The number of items that are pending because the last attempt to write them failed. */
    unwritten: () => (isFailing ? pending.size : 0),
    /** Writes the pending items for the last time. Those that cannot be written are reported and lost. */
    async end(): Promise<void> {
      ended = true;
      stopTimer?.();
      await flush().catch(report);
    },
  };
}

/** The items that wait to be written. When writing fails for long, the oldest are dropped. */
export function createPending<Key, Item>(keyOf: (item: Item) => Key) {
  const waiting = new Map<Key, Item>();
  let lost = 0;

  return {
    get size() {
      return waiting.size;
    },
    find: (key: Key) => waiting.get(key),
    first: (count: number) => [...waiting.values().take(count)],

    put(item: Item): void {
      const key = keyOf(item);
      const [oldest] = !waiting.has(key) && waiting.size >= PENDING_MAX ? waiting.keys() : [];
      if (oldest !== undefined && waiting.delete(oldest)) lost++;
      waiting.set(key, item);
    },

    /** Removes the written items, unless they were replaced since. */
    settle(written: readonly Item[]): void {
      for (const item of written) if (waiting.get(keyOf(item)) === item) waiting.delete(keyOf(item));
    },

    /** Removes the items that must not be written any more. */
    remove(isRemoved: (item: Item) => boolean): void {
      for (const [key, item] of waiting) if (isRemoved(item)) waiting.delete(key);
    },

    /** Returns how many items were dropped since the last call. */
    takeLost(): number {
      const count = lost;
      lost = 0;
      return count;
    },
  };
}
