import {
  closeSync,
  constants,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  type Stats,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import { CommandError } from "../../errors.ts";
import { syncFolder } from "../../files.ts";
import { fileErrorText } from "../../system-error.ts";

const BYTES_MAX = 4 * 1024 ** 2;
const PRIVATE = 0o600;

/** A file that may not exist yet. */
export interface UserFile {
  path: string;
  text: string;
  /** Undefined if there is no file. */
  mode: number | undefined;
}

/** Reads a file of the user. Throws a `CommandError` if it is a symbolic link, not a file, or too large. */
export function readUserFile(path: string): UserFile {
  const stats = orFail(path, () => lstatSync(path, { throwIfNoEntry: false }));
  if (!stats) return { path, text: "", mode: undefined };
  if (stats.isSymbolicLink())
    throw new CommandError(
      `${path} is a symbolic link to ${readlinkSync(path)}, which is not followed. Give the file itself with --file.`,
    );
  if (!stats.isFile()) throw new CommandError(`${path} is not a file. Move it away.`);
  if (stats.size > BYTES_MAX) throw new CommandError(`${path} is larger than 4 MB. Check what it is.`);
  return { path, text: orFail(path, () => readFileSync(path, "utf8")), mode: stats.mode & 0o777 };
}

/** Whether there is something at the path. */
export function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

interface Write {
  text: string;
  /** Whether only the owner may read the file. */
  isSecret: boolean;
  now: number;
}

/**
 * Replaces the file with the text, at once and for good. An existing file is copied before: the path of the copy
 * is returned. Throws a `CommandError` if that fails; the file is then as it was.
 */
export function writeUserFile(file: UserFile, { text, isSecret, now }: Write): string | undefined {
  const { path, mode } = file;
  return orFail(path, () => {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const copy = mode === undefined ? undefined : copyOf(file, now);
    const fresh = `${path}.new-${process.pid}`;
    try {
      // A file that has or had a token is for its owner only, and so is every new one.
      createFile(fresh, text, isSecret ? PRIVATE : (mode ?? PRIVATE));
      if (hasChanged(file)) throw new CommandError(`${path} was changed meanwhile. Try again.`);
      renameSync(fresh, path);
    } catch (error) {
      rmSync(fresh, { force: true });
      if (copy !== undefined) rmSync(copy, { force: true });
      throw error;
    }
    syncFolder(dirname(path));
    return copy;
  });
}

function hasChanged({ path, text, mode }: UserFile): boolean {
  const stats: Stats | undefined = lstatSync(path, { throwIfNoEntry: false });
  if (!stats || mode === undefined) return Boolean(stats) !== (mode !== undefined);
  return !stats.isFile() || readFileSync(path, "utf8") !== text;
}

/** Writes the old text beside the file, under a name that is free. */
function copyOf({ path, text }: UserFile, now: number): string {
  const time = new Date(now)
    .toISOString()
    .replace(/\.\d+Z$/, "Z")
    .replaceAll(/[-:]/g, "");
  for (let count = 1; ; count++) {
    const copy = `${path}.bak-${time}${count === 1 ? "" : `-${count}`}`;
    try {
      createFile(copy, text, PRIVATE);
      return copy;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST" || count > 100) throw error;
    }
  }
}

/** Never follows a symbolic link, and never replaces a file. */
function createFile(path: string, text: string, mode: number): void {
  const file = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, mode);
  try {
    writeFileSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function orFail<T>(path: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError(`${path} cannot be used. ${fileErrorText(error)}`, { cause: error });
  }
}
