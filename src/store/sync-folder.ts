import { closeSync, fsyncSync, openSync } from "node:fs";

/** Makes changes to the names in a folder survive a loss of power. Windows cannot open a folder. */
export function syncFolder(path: string): void {
  if (process.platform === "win32") return;
  const folder = openSync(path, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
