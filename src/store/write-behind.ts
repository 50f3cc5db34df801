import { messageOfError } from "../errors.ts";
import { createPending, type Pending } from "./pending.ts";

/** How long an item waits for others, as a transaction costs as much as ten items. */
const FLUSH_MS = 1_000;
/** The pause after a failure. */
const RETRY_MS = 1_000;
/** The most in one transaction, so that it blocks the event loop for a few milliseconds only. */
const BATCH_ITEMS = 500;
const BATCH_LENGTH = 1024 ** 2;

/** Calls `run` after a delay, without keeping the process alive. Returns a function that cancels it. */
export type After = (delayMs: number, run: () => void) => () => void;

/** Counts the system's time. */
export const afterDelay: After = (delayMs, run) => {
  const timer = setTimeout(run, delayMs);
  timer.unref();
  return () => clearTimeout(timer);
};

export interface WriteBehindOptions {
  after: After;
  /** Called when a flush failed, with counts in the message. It is tried again after a second. */
  onError: (error: Error) => void;
  /** How long an item waits for others. Default: a second. */
  flushMs?: number;
}

interface Written<Key, Item> {
  /** The items in messages, such as "conversations". */
  noun: string;
  keyOf: (item: Item) => Key;
  /** Returns the length of the texts in an item. Missing if they are short. */
  lengthOf?: (item: Item) => number;
  /** Writes the items in one transaction. Items that come meanwhile may replace them, and are written later. */
  writeBatch: (items: readonly Item[]) => Promise<void>;
}

/** Writes in batches, each one transaction. All survive `kill -9`; a loss of power may undo the latest. */
export function createWriteBehind<Key, Item>(
  { after, onError, flushMs = FLUSH_MS }: WriteBehindOptions,
  { noun, keyOf, lengthOf, writeBatch }: Written<Key, Item>,
) {
  const pending = createPending(keyOf, lengthOf);
  let ended = false;
  let stopTimer: (() => void) | undefined;
  let flushing: Promise<void> | undefined;
  let attempted: PromiseWithResolvers<void> | undefined;
  let isFailing = false;

  function schedule(): void {
    if (ended) return;
    stopTimer ??= after(isFailing ? RETRY_MS : flushMs, () => {
      stopTimer = undefined;
      writeNow();
    });
  }

  function writeNow(): void {
    if (!flushing && !ended) start().catch(report);
  }

  const report = (cause: unknown) => onError(failureOf(pending.size, pending.takeLost(), noun, cause));

  /** Writes all items that are pending now. Throws when that fails, without a retry. */
  async function flush(): Promise<void> {
    // The running one may have begun before the latest item came.
    await flushing;
    await start();
  }

  function start(): Promise<void> {
    flushing ??= writeWaiting();
    stopTimer?.();
    stopTimer = undefined;
    return flushing;
  }

  function endAttempt(): void {
    attempted?.resolve();
    attempted = undefined;
  }

  async function writeWaiting(): Promise<void> {
    const waiting = attempted;
    attempted = undefined;
    try {
      await writeOldest(pending, writeBatch);
      isFailing = false;
    } catch (error) {
      isFailing = true;
      // The next try is a second away.
      endAttempt();
      throw error;
    } finally {
      flushing = undefined;
      waiting?.resolve();
      if (pending.size > 0 || attempted) schedule();
    }
  }

  return {
    /** Adds an item, or replaces the pending one with its key. It is written after `flushMs`, or at once under load. */
    put(item: Item): void {
      pending.put(item);
      if (!pending.isMuch || isFailing) schedule();
      else writeNow();
    },
    /**
     * Resolves once all items that are pending now are written, or could not be. While writing fails, it does
     * not wait.
     */
    async attempt(): Promise<void> {
      if (isFailing || ended) return;
      attempted ??= Promise.withResolvers();
      schedule();
      await attempted.promise;
    },
    find: pending.find,
    remove: pending.remove,
    flush,
    /** Writes all pending items now if possible. */
    async tryFlush(): Promise<void> {
      // The timer tries again, and reports a failure.
      await flush().catch(() => {});
    },
    /** The number of items that are pending because the last attempt to write them failed. */
    unwritten: () => (isFailing ? pending.size : 0),
    /** Writes the pending items for the last time. Those that cannot be written are reported and lost. */
    async end(): Promise<void> {
      ended = true;
      stopTimer?.();
      try {
        while (pending.size > 0) await flush();
      } catch (error) {
        report(error);
      } finally {
        endAttempt();
      }
    },
  };
}

/** Writes the items that are pending. Does not wait for those that come meanwhile: under load that has no end. */
async function writeOldest<Key, Item>(
  pending: Pending<Key, Item>,
  writeBatch: Written<Key, Item>["writeBatch"],
): Promise<void> {
  for (let left = pending.size; left > 0 && pending.size > 0; ) {
    // Each transaction has a turn of the event loop for itself.
    await new Promise(setImmediate);
    const batch = pending.first(Math.min(left, BATCH_ITEMS), BATCH_LENGTH);
    await writeBatch(batch);
    pending.settle(batch);
    left -= batch.length;
  }
}

function failureOf(count: number, lost: number, noun: string, cause: unknown): Error {
  const dropped = lost > 0 ? `, ${lost} were dropped because too many were waiting` : "";
  const reason = messageOfError(cause);
  return new Error(`${count} ${noun} could not be written${dropped}: ${reason}`, { cause });
}
