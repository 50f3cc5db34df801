import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { DATABASE_NAME, databaseIn } from "../data-folder.ts";
import { syncFolder } from "../files.ts";
import { parseJson } from "../json/parse.ts";
import { lockExclusive } from "../store/sqlite/lock.ts";
import { FILE_NAMES } from "./format.ts";

/** Every file of a data folder. A server that crashed leaves the last two behind. */
const REPLACED = [...FILE_NAMES, `${DATABASE_NAME}-wal`, `${DATABASE_NAME}-shm`] as const;
type Replaced = (typeof REPLACED)[number];

/** The folder in which a restore unpacks. */
const STAGING = /^restore-[0-9a-f]{12}\.part$/;

/** A file in the staging folder that says that files are being moved, and which stood there before. */
const JOURNAL_NAME = "swap.json";
const Journal = z.object({
  /** The name of the folder with the replaced files. */
  aside: z.string().regex(/^replaced-\w+$/),
  replaced: z.array(z.enum(REPLACED)),
});

/**
 * Moves the files of `staging` into `data`, on the same disk, and returns the folder with the files that they
 * replaced, if there were any. If a step fails, every file is moved back. If this process ends in between,
 * `removeUnfinished` moves them back.
 */
export function swapFiles(
  { staging, data }: { staging: string; data: string },
  rename: (from: string, to: string) => void = renameSync,
): string | undefined {
  const replaced = REPLACED.filter((name) => existsSync(join(data, name)));
  const asideName = `replaced-${new Date().toISOString().replaceAll(/[-:.]/g, "")}`;
  const aside = join(data, asideName);
  const journal = join(staging, JOURNAL_NAME);
  if (replaced.length > 0) mkdirSync(aside, { mode: 0o700 });
  writeFileSync(journal, JSON.stringify({ aside: asideName, replaced }), { flush: true });
  syncFolder(staging);
  const moved: { from: string; to: string }[] = [];
  const move = (name: Replaced, fromFolder: string, toFolder: string) => {
    const step = { from: join(fromFolder, name), to: join(toFolder, name) };
    rename(step.from, step.to);
    moved.unshift(step);
  };
  try {
    for (const name of replaced) move(name, data, aside);
    for (const name of [...FILE_NAMES].reverse())
      if (existsSync(join(staging, name))) move(name, staging, data);
  } catch (error) {
    for (const { from, to } of moved) renameSync(to, from);
    rmSync(journal);
    if (replaced.length > 0) rmdirSync(aside);
    throw error;
  }
  if (replaced.length > 0) syncFolder(aside);
  syncFolder(data);
  rmSync(journal);
  return replaced.length > 0 ? aside : undefined;
}

/**
 * Removes what restores have left behind that were killed, and moves the files back that one of them was
 * replacing. Throws a `CommandError` while a restore is running.
 */
export function removeUnfinished(data: string): void {
  if (!hasStaging(data)) return;
  const release = lockExclusive(databaseIn(data));
  try {
    removeLocked(data);
  } finally {
    release();
  }
}

/** Returns false for anything but a folder that can be read: opening the database says what is wrong. */
function hasStaging(data: string): boolean {
  try {
    return readdirSync(data).some((name) => STAGING.test(name));
  } catch {
    return false;
  }
}

/** Does the same for a caller that holds the lock. */
export function removeLocked(data: string): void {
  for (const name of readdirSync(data).filter((name) => STAGING.test(name))) {
    const staging = join(data, name);
    moveBack(staging, data);
    rmSync(staging, { recursive: true, force: true });
  }
}

function moveBack(staging: string, data: string): void {
  const path = join(staging, JOURNAL_NAME);
  if (!existsSync(path)) return;
  const journal = Journal.safeParse(parseJson(readFileSync(path, "utf8"))).data;
  // A journal that is not whole was not written before the first step.
  if (!journal) return;
  const aside = join(data, journal.aside);
  for (const name of REPLACED) {
    const [old, current] = [join(aside, name), join(data, name)];
    if (existsSync(old)) renameSync(old, current);
    else if (!journal.replaced.includes(name)) rmSync(current, { force: true });
  }
  if (existsSync(aside)) rmdirSync(aside);
  syncFolder(data);
}
