import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "../errors.ts";
import { DAY_MS } from "../time.ts";

/**
 * Makes a backup in a new file without blocking this process. Rejects with the reason if it fails. Aborting
 * `signal` ends it early.
 */
export type MakeBackup = (file: string, signal: AbortSignal) => Promise<void>;

interface BackupsOptions {
  /** The data folder. Backups are made in it, as its disk has room for a copy of its files. */
  data: string;
  /** Without it no backup can be made. */
  make?: MakeBackup | undefined;
}

/** The backups that are downloaded over HTTP, one at a time. */
export interface Backups {
  /**
   * Makes a backup and returns its archive, which is deleted when it was read or its reader has gone. Throws
   * an `AppError`: backup_busy, backup_failed, or caller_gone if `signal` was aborted.
   */
  take(signal: AbortSignal): Promise<ReadableStream<Uint8Array>>;
  /** Gives up the backup that is being made or read. */
  stop(): void;
}

const FOLDER = "backup-";
const CHUNK_BYTES = 256 * 1024;

const NO_BACKUP: MakeBackup = () =>
  Promise.reject(new Error("this server was started without a way to back up"));

export function createBackups({ data, make = NO_BACKUP }: BackupsOptions): Backups {
  let current: AbortController | undefined;
  removeLeftovers(data);
  return {
    async take(signal) {
      if (current) throw new AppError("backup_busy");
      const own = new AbortController();
      const giveUp = () => own.abort();
      current = own;
      if (signal.aborted) giveUp();
      signal.addEventListener("abort", giveUp);
      // It has mode 700, and everything in it is deleted with it.
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

/** Streams the file. Calls `end` once: when the file was read, cannot be read, or its reader has gone. */
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
          controller.error(new Error("the backup was cancelled"));
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
          // `cancel` is not called for a stream that has failed.
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

/** Removes what a crash left behind: folders older than a day, as no backup takes that long. */
function removeLeftovers(data: string): void {
  for (const name of readdirSync(data)) {
    const path = join(data, name);
    if (!/^backup-\w{6}$/.test(name) || Date.now() - statSync(path).mtimeMs < DAY_MS) continue;
    rmSync(path, { recursive: true, force: true });
  }
}
