import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { databaseIn } from "../data-folder.ts";

/** An empty file that is in the data folder until a server has started on it. */
export const FIRST_START_NAME = "first-start";

/**
 * Returns whether no server has started on the data folder yet. A start that fails may leave a database, so a
 * file remembers it until `noteStarted` is called.
 */
export function isFirstStart(folder: string): boolean {
  const mark = join(folder, FIRST_START_NAME);
  if (existsSync(mark)) return true;
  if (existsSync(databaseIn(folder))) return false;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(mark, "", { mode: 0o600 });
  } catch {
    // Opening the database fails next, and says why.
  }
  return true;
}

/** Remembers that a server has started on the data folder. */
export function noteStarted(folder: string): void {
  rmSync(join(folder, FIRST_START_NAME), { force: true });
}
