import { CommandError } from "../../errors.ts";

/** The meaning of error codes of SQLite and the operating system, and what to do, by how the code begins. */
const MEANINGS: readonly (readonly [string, string])[] = [
  ["SQLITE_NOTADB", "it is not a SQLite database; move it away, or restore a backup"],
  ["SQLITE_CORRUPT", "it is damaged; move it away, or restore a backup"],
  ["SQLITE_BUSY", "another program keeps it locked; stop that program first"],
  ["SQLITE_READONLY", "it cannot be written; check the permissions of the file and its folder"],
  [
    "SQLITE_CANTOPEN",
    "it or a file beside it cannot be opened; check the permissions of the file and its folder",
  ],
  ["SQLITE_FULL", "the disk is full"],
  ["SQLITE_IOERR", "the disk cannot be read or written"],
  ["EISDIR", "it is a folder; move it away, or choose another data folder"],
  ["ENOTDIR", "a part of its path is a file; choose another data folder"],
  ["EEXIST", "a part of its path is a file; choose another data folder"],
  ["EACCES", "no permission; check the owner and mode of the file and its folder"],
  ["EPERM", "no permission; check the owner and mode of the file and its folder"],
  ["EROFS", "the disk is read-only; choose another data folder"],
  ["ENOSPC", "the disk is full"],
];

/** Returns an error whose message says in one line why the database cannot be opened and what to do. */
export function openError(path: string, error: unknown): CommandError {
  if (error instanceof CommandError) return error;
  const code = String((error as { code?: unknown } | null)?.code ?? "");
  const known = MEANINGS.find(([prefix]) => code.startsWith(prefix))?.[1];
  const meaning = known ?? (error instanceof Error ? error.message : String(error)).replaceAll("\n", " ");
  return new CommandError(`cannot open the database ${path}: ${meaning}`, { cause: error });
}
