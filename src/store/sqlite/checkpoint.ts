import type { Connection } from "./database.ts";

interface CheckpointerOptions {
  connection: Connection;
  /** The length of the WAL at which a checkpoint starts. */
  walPages: number;
  /** Called when a checkpoint failed. It is retried after the next write. */
  onError: (error: Error) => void;
}

/**
 * Merges the WAL into the database, which SQLite calls a checkpoint, on a thread of its own: it waits for the
 * disk and would block the event loop.
 */
export function createCheckpointer({ connection: { raw }, walPages, onError }: CheckpointerOptions) {
  // Merges nothing, but reports the state of the WAL.
  const state = raw.prepare<{ log: number; checkpointed: number }, []>("PRAGMA wal_checkpoint(NOOP)");
  let ended = false;
  let running: Promise<void> | undefined;
  return {
    /** Must be called after each write. Starts a checkpoint when the WAL has grown long. */
    startIfLong(): void {
      if (ended || running !== undefined) return;
      const { log, checkpointed } = state.get() ?? { log: 0, checkpointed: 0 };
      if (log - checkpointed < walPages) return;
      running = checkpoint(raw.filename)
        .catch((cause) => onError(new Error(`the checkpoint of the WAL failed: ${cause.message}`, { cause })))
        .finally(() => {
          running = undefined;
        });
    },
    /** Starts no more checkpoints. Resolves when none is running. */
    async end(): Promise<void> {
      ended = true;
      await running;
    },
  };
}

function checkpoint(path: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  // The build includes this file as the second entry point of the executable.
  const thread = new Worker(new URL("./checkpoint-thread.ts", import.meta.url));
  thread.onmessage = ({ data }: MessageEvent<string | null>) =>
    data === null ? resolve() : reject(new Error(data));
  thread.onerror = ({ message }) => reject(new Error(message));
  thread.addEventListener("close", () => reject(new Error("the thread ended early")));
  thread.postMessage(path);
  return promise.finally(() => thread.terminate());
}
