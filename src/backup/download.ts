import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import type { Config } from "../config/settings.ts";
import { DAY_MS } from "../durations.ts";
import { AppError } from "../errors.ts";

/**
 * Makes a backup in a new file without blocking this process. Rejects with the reason if it fails. Aborting
 * `signal` ends it early.
 */
export type MakeBackup = (file: string, signal: AbortSignal) => Promise<void>;

interface BackupsOptions {
  /**
   * The data folder. Backups are made in it, as its disk has room for a copy of its files. Undefined if the data
   * is elsewhere: then no backup can be made.
   */
  data: string | undefined;
  /** Without it no backup can be made. */
  make?: MakeBackup | undefined;
}

const FOLDER = "backup-";
const CHUNK_BYTES = 256 * 1024;
const REASON_LENGTH_MAX = 1_000;

const NO_BACKUP: MakeBackup = () =>
  Promise.reject(new Error("this server was started without a way to back up"));

/** The backups that are downloaded over HTTP, one at a time. */
export function createBackups({ data, make = NO_BACKUP }: BackupsOptions) {
  let current: AbortController | undefined;
  if (data !== undefined) removeLeftovers(data);
  function folderOfData(): string {
    if (data === undefined) throw new AppError("backup_external");
    return data;
  }

  return {
    /** Throws an `AppError` backup_external if the data is elsewhere. */
    requireData: () => void folderOfData(),
    /**
     * Makes a backup and returns its archive, which is deleted when it was read or its reader has gone. Throws
     * an `AppError`: backup_external, backup_busy, backup_failed, or caller_gone if `callerSignal` was aborted.
     */
    async take(callerSignal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
      const dataFolder = folderOfData();
      if (current) throw new AppError("backup_busy");
      const own = new AbortController();
      const signal = AbortSignal.any([callerSignal, own.signal]);
      current = own;
      // It has mode 700, and everything in it is deleted with it.
      let folder: string | undefined;
      const end = () => {
        if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
        if (current === own) current = undefined;
      };
      try {
        folder = mkdtempSync(join(dataFolder, FOLDER));
        const path = join(folder, "server.backup");
        await make(path, signal);
        return read(await open(path, "r"), signal, end);
      } catch (cause) {
        end();
        throw callerSignal.aborted ? new AppError("caller_gone") : new AppError("backup_failed", { cause });
      }
    },
    /** Gives up the backup that is being made or read. */
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
          controller.error(new Error("the backup was canceled"));
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

/** Tells the command `backup` that the audit already has a row for the backup, which says who asked for it. */
const AUDITED_FLAG = "--audited";

/** Returns the command that runs this program: the executable, or the runtime with the main file. */
export function ownCommand(): string[] {
  const isCompiled = /^(\/\$bunfs\/|[A-Z]:[\\/]~BUN[\\/])/i.test(Bun.main);
  return isCompiled ? [process.execPath] : [process.execPath, Bun.main];
}

/**
 * Makes backups with the command `backup`, in a process of its own. Copying and checking a database takes one
 * long step, which would hold up every request of the server's process.
 */
export function backupMaker(
  { data, sealKey }: Pick<Config, "data" | "sealKey">,
  command: readonly string[],
): MakeBackup {
  return async (file, signal) => {
    const child = Bun.spawn([...command, "backup", AUDITED_FLAG, "--data", data, "--", file], {
      // The command needs nothing else of the environment, and least of all the other secrets.
      env: sealKey === undefined ? {} : { CHATGPT_API_SEAL_KEY: sealKey },
      stdio: ["ignore", "ignore", "pipe"],
      signal,
      killSignal: "SIGKILL",
    });
    const [code, stderr] = await Promise.all([child.exited, new Response(child.stderr).text()]);
    if (code !== 0) throw new Error(stderr.trim().slice(0, REASON_LENGTH_MAX) || `exit code ${code}`);
  };
}
