import { randomBytes } from "node:crypto";
import {
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import type { z } from "zod";
import { CommandError } from "../errors.ts";
import { makePrivate, publishFile } from "../files.ts";
import { fileErrorText } from "../system-error.ts";

const KEY_BYTES = 32;
/** Follows no link, and waits for no writer of a pipe. Windows has neither flag. */
const OPEN_FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/**
 * Returns the key in the file, without surrounding white space. Creates a missing file with mode 600 and 256
 * random bits in base64url; processes that start at the same time get the same key. Makes a file that others
 * may read private. Throws a `CommandError` when the file is unreadable, empty or not a regular file, holds more
 * than one word, or has a key that the rule of its setting refuses.
 */
export function readOrCreateKey(path: string, rule?: z.ZodType<string>): string {
  let key: string;
  try {
    key = (read(path) ?? create(path)).trim();
  } catch (error) {
    throw new CommandError(`Cannot read or create the key file ${path}: ${fileErrorText(error)}`, {
      cause: error,
    });
  }
  if (key === "")
    throw new CommandError(`The key file ${path} is empty. Restore it, or delete it to get a new key.`);
  if (!/^[\x21-\x7e]+$/.test(key))
    throw new CommandError(`The key file ${path} must contain one line of ASCII characters without spaces.`);
  const refused = rule?.safeParse(key).error;
  if (refused) throw new CommandError(`The key in ${path} is not valid. ${refused.issues[0]?.message}`);
  return key;
}

function read(path: string): string | undefined {
  let file: number;
  try {
    // A program that puts a link here must not choose which file is read, and which file's mode changes.
    file = openSync(path, OPEN_FLAGS);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  try {
    const stat = fstatSync(file);
    // A folder has a message of its own.
    if (!stat.isFile() && !stat.isDirectory())
      throw new Error("It is not a regular file. Put the file itself in its place.");
    const text = readFileSync(file, "utf8");
    makePrivate(file);
    return text;
  } finally {
    closeSync(file);
  }
}

/** Creates the file as a whole, synced: without its key after a power cut, no sealed token would open. */
function create(path: string): string {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${randomBytes(6).toString("hex")}`;
  try {
    writeFileSync(temporary, `${randomBytes(KEY_BYTES).toString("base64url")}\n`, {
      flag: "wx",
      mode: 0o600,
      flush: true,
    });
    // If the name is taken, another process was first, and its key counts.
    publishFile(temporary, path);
  } finally {
    rmSync(temporary, { force: true });
  }
  return read(path) ?? "";
}
