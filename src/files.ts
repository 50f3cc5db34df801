import { closeSync, constants, copyFileSync, fsyncSync, linkSync, openSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Gives a finished file its name, with the whole content or not at all, and so that the name survives a loss of
 * power. Throws EEXIST if the name is taken.
 */
export function publishFile(finished: string, path: string): void {
  try {
    linkSync(finished, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") throw error;
    // FAT and some network file systems have no links.
    copyFileSync(finished, path, constants.COPYFILE_EXCL);
  }
  syncFolder(dirname(path));
}

/** Makes the names in a folder survive a loss of power. Does nothing on Windows, which cannot open a folder. */
export function syncFolder(path: string): void {
  if (process.platform === "win32") return;
  const folder = openSync(path, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
