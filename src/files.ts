import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  fchmodSync,
  fstatSync,
  fsyncSync,
  linkSync,
  openSync,
  statSync,
} from "node:fs";
import { dirname } from "node:path";

/**
 * Gives a finished file its name, so that no reader sees part of the content. The name survives a loss of
 * power. Returns false if the name is taken.
 */
export function publishFile(finished: string, path: string): boolean {
  try {
    linkSync(finished, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    // FAT and some network file systems have no links.
    copyFileSync(finished, path, constants.COPYFILE_EXCL);
  }
  syncFolder(dirname(path));
  return true;
}

/** Makes names in a folder survive a loss of power. Does nothing on Windows: it cannot open folders. */
export function syncFolder(path: string): void {
  if (process.platform === "win32") return;
  const folder = openSync(path, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/**
 * Makes a file, by its path or its descriptor, readable for its owner only. Changes nothing if this process may
 * not change the mode.
 */
export function makePrivate(file: string | number): void {
  const { mode } = typeof file === "number" ? fstatSync(file) : statSync(file);
  if ((mode & 0o077) === 0) return;
  try {
    if (typeof file === "number") fchmodSync(file, 0o600);
    else chmodSync(file, 0o600);
  } catch (error) {
    // Another user owns the file and decides its mode, or the file system has no modes or is read-only.
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "EPERM" && code !== "EROFS") throw error;
  }
}
