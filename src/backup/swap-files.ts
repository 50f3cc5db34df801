import { existsSync, mkdirSync, renameSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { syncFolder } from "../store/sync-folder.ts";
import { DATABASE_NAME, FILE_NAMES } from "./format.ts";

/** All that belongs to the data of a folder. The last two are there when a server ended in an accident. */
const REPLACED = [...FILE_NAMES, `${DATABASE_NAME}-wal`, `${DATABASE_NAME}-shm`];

/**
 * Puts the files of `staging` in the place of those in `data`, on the same disk, and gives the folder that then
 * has the replaced ones; undefined where there were none. When it fails on the way, all is as it was. The
 * database comes last, so that after a loss of power there is none without its keys.
 */
export function exchange(
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
