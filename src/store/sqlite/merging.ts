import type { Connection } from "./database.ts";

/** Has the WAL merged into the database by a thread of its own: that waits for the disk, and the event loop must not. */
export interface Merging {
  /** To be called when something was written: begins when the WAL has grown long. */
  look(): void;
  /** Begins no more; resolves when none is under way. */
  end(): Promise<void>;
}

export interface MergingOptions {
  connection: Connection;
  /** How long the WAL becomes. */
  walPages: number;
  /** Told when it failed; it is tried again when more was written. */
  onError: (error: Error) => void;
}

export function createMerging({ connection: { raw }, walPages, onError }: MergingOptions): Merging {
  // Merges nothing, and tells how it stands.
  const standing = raw.prepare<{ log: number; checkpointed: number }, []>("PRAGMA wal_checkpoint(NOOP)");
  let ended = false;
  let running: Promise<void> | undefined;
  return {
    look() {
      if (ended || running !== undefined) return;
      const { log, checkpointed } = standing.get() ?? { log: 0, checkpointed: 0 };
      if (log - checkpointed < walPages) return;
      running = merge(raw.filename)
        .catch((cause) => onError(new Error(`the WAL could not be merged: ${cause.message}`, { cause })))
        .finally(() => {
          running = undefined;
        });
    },
    async end() {
      ended = true;
      await running;
    },
  };
}

function merge(path: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  // The build names it as the second entry of the executable.
  const thread = new Worker(new URL("./merge-thread.ts", import.meta.url));
  thread.onmessage = ({ data }: MessageEvent<string | null>) =>
    data === null ? resolve() : reject(new Error(data));
  thread.onerror = ({ message }) => reject(new Error(message));
  thread.addEventListener("close", () => reject(new Error("the thread has ended early")));
  thread.postMessage(path);
  return promise.finally(() => thread.terminate());
}
