import { existsSync, mkdirSync, renameSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { DATABASE_NAME } from "../data-folder.ts";
import { syncFolder } from "../files.ts";
import { FILE_NAMES } from "./format.ts";

/** Every file of a data folder. A server that crashed leaves the last two behind. */
const REPLACED = [...FILE_NAMES, `${DATABASE_NAME}-wal`, `${DATABASE_NAME}-shm`];

/**
 * Moves the files of `staging` into `data`, on the same disk, and returns the folder with the files that they
 * replaced, if there were any. If a step fails, every file is moved back. The database comes last, so that
 * after a loss of power it is never there without its keys.
 */
export function swapFiles(
  { staging, data }: { staging: string; data: string },
  rename: (from: string, to: string) => void = renameSync,
): string | undefined {
  const replaced = REPLACED.filter((name) => existsSync(join(data, name)));
  const aside = join(data, `replaced-${new Date().toISOString().replaceAll(/[-:.]/g, "")}`);
  const moved: { from: string; to: string }[] = [];
  const move = (name: string, fromFolder: string, toFolder: string) => {
    const step = { from: join(fromFolder, name), to: join(toFolder, name) };
    rename(step.from, step.to);
    moved.unshift(step);
  };
  if (replaced.length > 0) mkdirSync(aside, { mode: 0o700 });
  try {
    for (const name of replaced) move(name, data, aside);
    for (const name of [...FILE_NAMES].reverse())
      if (existsSync(join(staging, name))) move(name, staging, data);
  } catch (error) {
    for (const { from, to } of moved) renameSync(to, from);
    if (replaced.length > 0) rmdirSync(aside);
    throw error;
  }
  if (replaced.length > 0) syncFolder(aside);
  syncFolder(data);
  return replaced.length > 0 ? aside : undefined;
}
