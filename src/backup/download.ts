import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "../errors.ts";
import { DAY_MS } from "../time.ts";

/**
 * Makes a backup in a new file, without holding up this process; rejects with what went wrong. Aborting `signal` ends
 * it early.
 */
export type MakeBackup = (file: string, signal: AbortSignal) => Promise<void>;

interface BackupsOptions {
  /** The data folder, on whose disk there is room for a copy of what is in it. */
  data: string;
  make: MakeBackup;
}

/** The backups that are taken over HTTP, one at a time. */
export interface Backups {
  /** As `HttpDeps.takeBackup` promises. */
  take(signal: AbortSignal): Promise<ReadableStream<Uint8Array>>;
  /** Gives up what is being made or read. */
  stop(): void;
}

const FOLDER = "backup-";
const CHUNK_BYTES = 256 * 1024;

export function createBackups({ data, make }: BackupsOptions): Backups {
  let current: AbortController | undefined;
  removeLeft(data);
  return {
    async take(signal) {
      if (current) throw new AppError("backup_busy");
      const own = new AbortController();
      const giveUp = () => own.abort();
      current = own;
      if (signal.aborted) giveUp();
      signal.addEventListener("abort", giveUp);
      // Of mode 700: whoever makes the file leaves nothing beside it.
      let folder: string | undefined;
      const end = () => {
        signal.removeEventListener("abort", giveUp);
        if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
        if (current === own) current = undefined;
      };
      try {
        folder = mkdtempSync(join(data, FOLDER));
        const path = join(folder, "server.backup");
        await make(path, own.signal);
        return read(await open(path, "r"), own.signal, end);
      } catch (cause) {
        end();
        throw signal.aborted ? new AppError("caller_gone") : new AppError("backup_failed", { cause });
      }
    },
    stop: () => current?.abort(),
  };
}

/** What is in the file; calls `end` once, when it was read or cannot be, or nobody reads on. */
function read(file: FileHandle, signal: AbortSignal, end: () => void): ReadableStream<Uint8Array> {
  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= file.close().finally(end);
    return closing;
  };
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const giveUp = () => {
          controller.error(new Error("the backup was given up"));
          void close();
        };
        if (signal.aborted) giveUp();
        else signal.addEventListener("abort", giveUp);
      },
      async pull(controller) {
        try {
          const { bytesRead, buffer } = await file.read(new Uint8Array(CHUNK_BYTES), 0, CHUNK_BYTES);
          if (bytesRead > 0) return controller.enqueue(buffer.subarray(0, bytesRead));
        } catch (error) {
          // A stream that has failed is not cancelled any more.
          await close();
          throw error;
        }
        await close();
        controller.close();
      },
      cancel: close,
    },
    { highWaterMark: 1 },
  );
}

/** Removes folders older than a day: a crash left them behind, as no backup takes that long. */
function removeLeft(data: string): void {
  for (const name of readdirSync(data)) {
    const path = join(data, name);
    if (!/^backup-\w{6}$/.test(name) || Date.now() - statSync(path).mtimeMs < DAY_MS) continue;
    rmSync(path, { recursive: true, force: true });
  }
}
