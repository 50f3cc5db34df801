import { CommandError, messageOfError } from "../../errors.ts";

/** The meaning of error codes of SQLite and the operating system, and what to do, by how the code begins. */
const MEANINGS: readonly (readonly [string, string])[] = [
  ["SQLITE_NOTADB", "It is not a SQLite database. Move it away, or restore a backup."],
  ["SQLITE_CORRUPT", "It is damaged. Move it away, or restore a backup."],
  ["SQLITE_BUSY", "Another program keeps it locked. Stop that program first."],
  ["SQLITE_READONLY", "It cannot be written. Check the permissions of the file and its folder."],
  [
    "SQLITE_CANTOPEN",
    "It or a file beside it cannot be opened. Check the permissions of the file and its folder.",
  ],
  ["SQLITE_FULL", "The disk is full."],
  ["SQLITE_IOERR", "The disk cannot be read or written."],
  ["EISDIR", "It is a folder. Move it away, or choose another data folder."],
  ["ENOTDIR", "A part of its path is a file. Choose another data folder."],
  ["EEXIST", "A part of its path is a file. Choose another data folder."],
  ["EACCES", "No permission. Check the owner and mode of the file and its folder."],
  ["EPERM", "No permission. Check the owner and mode of the file and its folder."],
  ["EROFS", "The disk is read-only. Choose another data folder."],
  ["ENOSPC", "The disk is full."],
];

/** Returns an error whose message says in one line why the database cannot be opened and what to do. */
export function openError(path: string, error: unknown): CommandError {
  if (error instanceof CommandError) return error;
  const code = String((error as { code?: unknown } | null)?.code ?? "");
  const known = MEANINGS.find(([prefix]) => code.startsWith(prefix))?.[1];
  const meaning = known ?? messageOfError(error).replaceAll("\n", " ");
  return new CommandError(`Cannot open the database ${path}: ${meaning}`, { cause: error });
}
