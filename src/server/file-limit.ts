import { closeSync, openSync } from "node:fs";
import { devNull } from "node:os";
import type { Log } from "../log/log.ts";
import { every } from "../time.ts";

const CHECK_EVERY_MS = 5_000;
/** This many failed checks in a row are reported once. */
const CHECKS_REPORTED = 12;

/**
 * Watches whether the process can open files. If not, the runtime accepts no connection, and says nothing. The
 * log says it, at most once a minute. Returns a function that stops it.
 */
export function watchFileLimit(log: Pick<Log, "error">): () => void {
  return every(CHECK_EVERY_MS, createFileCheck(log));
}

/** Returns a function that checks once. `open` opens a file and closes it, or throws. */
export function createFileCheck(log: Pick<Log, "error">, open = openAny): () => void {
  let failures = 0;
  return () => {
    try {
      open();
      failures = 0;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== "EMFILE" && code !== "ENFILE") return;
      if (failures % CHECKS_REPORTED === 0) log.error("files_exhausted", { cause: code });
      failures++;
    }
  };
}

function openAny(): void {
  closeSync(openSync(devNull, "r"));
}
