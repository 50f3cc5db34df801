import type { Connection } from "./database.ts";

interface MergingOptions {
  connection: Connection;
  /** The length of the WAL at which merging starts. */
  walPages: number;
  /** Called when merging failed. It is retried after the next write. */
  onError: (error: Error) => void;
}

/** Merges the WAL on its own thread, as merging waits for the disk and would block the event loop. */
export function createMerging({ connection: { raw }, walPages, onError }: MergingOptions) {
  // Merges nothing, but reports the state of the WAL.
  const state = raw.prepare<{ log: number; checkpointed: number }, []>("PRAGMA wal_checkpoint(NOOP)");
  let ended = false;
  let running: Promise<void> | undefined;
  return {
    /** Must be called after each write. Starts merging when the WAL has grown long. */
    check(): void {
      if (ended || running !== undefined) return;
      const { log, checkpointed } = state.get() ?? { log: 0, checkpointed: 0 };
      if (log - checkpointed < walPages) return;
      running = merge(raw.filename)
        .catch((cause) => onError(new Error(`the WAL could not be merged: ${cause.message}`, { cause })))
        .finally(() => {
          running = undefined;
        });
    },
    /** Starts no more merges. Resolves when none is running. */
    async end(): Promise<void> {
      ended = true;
      await running;
    },
  };
}

function merge(path: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  // The build includes this file as the second entry point of the executable.
  const thread = new Worker(new URL("./merge-thread.ts", import.meta.url));
  thread.onmessage = ({ data }: MessageEvent<string | null>) =>
    data === null ? resolve() : reject(new Error(data));
  thread.onerror = ({ message }) => reject(new Error(message));
  thread.addEventListener("close", () => reject(new Error("the thread ended early")));
  thread.postMessage(path);
  return promise.finally(() => thread.terminate());
}
